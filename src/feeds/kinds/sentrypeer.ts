import { DatedEntries, nothingLeftOut } from './dated.ts';
import { fieldOf, parseJson } from './kind.ts';
import type { Feed, FeedParts } from './kind.ts';

export interface SentrypeerSettings {
  readonly url: string;
  /** Addresses and numbers that were seen less often are left out: one misdialled call is no attack. */
  readonly min_count: number;
  readonly api_key?: string | undefined;
}

const DEADLINE_MS = 30_000;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_NUMBERS = 500_000;
/** What it has not seen for so long is somebody else's by now. */
const KEEP_MS = 7 * 86_400_000;
/** E.164 and dial prefixes; longer ones are made up. */
const NUMBER = /^\+?\d{3,32}$/;

const rowsOf = (json: unknown, key: string): readonly unknown[] => {
  const rows = fieldOf(json, key);
  if (Array.isArray(rows)) return rows;
  throw new Error(`it answered without ${key}`);
};

const jsonOrNone = (body: Buffer): unknown => {
  try {
    return parseJson(body, 'it');
  } catch {
    return undefined;
  }
};

/** Counts come as text. */
const countOf = (row: unknown): number => {
  const count = Number(fieldOf(row, 'seen_count'));
  return Number.isFinite(count) ? count : 0;
};

const textOf = (row: unknown, key: string): string => {
  const value = fieldOf(row, key);
  return typeof value === 'string' ? value.slice(0, 100) : '';
};

/** A number without its plus and without the prefix for calls abroad: callers write it in all ways. */
const plain = (number: string): string => number.replace(/^\+/, '').replace(/^00/, '');

/** A SentryPeer node: addresses that probe, and the numbers that they want to call. */
export const createSentrypeer = (parts: FeedParts, settings: SentrypeerSettings): Feed => {
  const { clock, http } = parts;
  let dated = new DatedEntries();
  let numbers: ReadonlySet<string> = new Set();
  const base = settings.url.replace(/\/+$/, '');
  const headers = settings.api_key === undefined ? {} : { authorization: `Bearer ${settings.api_key}` };

  const ask = async (path: string): Promise<unknown> => {
    const { status, body } = await http(`${base}/${path}`, { headers, deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES });
    // it says so, in JSON, where it has none yet; another 404 is a wrong address (url)
    if (status === 404 && typeof fieldOf(jsonOrNone(body), 'message') === 'string')
      return { ip_addresses: [], called_numbers: [] };
    if (status === 401 || status === 403) throw new Error('it does not accept the key (api_key)');
    if (status !== 200) throw new Error(`it answered ${status}`);
    return parseJson(body, 'it');
  };

  return {
    get size() {
      return dated.size + numbers.size;
    },
    async poll() {
      const addresses = rowsOf(await ask('ip-addresses'), 'ip_addresses');
      const called = rowsOf(await ask('numbers'), 'called_numbers');
      const protection = parts.protection();
      const out = nothingLeftOut();
      const next = new DatedEntries();
      const now = clock.now();
      for (const row of addresses) {
        const seen = Date.parse(`${textOf(row, 'seen_last').replace(' ', 'T')}Z`);
        const since = Number.isNaN(seen) ? now : Math.min(seen, now);
        if (countOf(row) < settings.min_count) out.left['rare'] = (out.left['rare'] ?? 0) + 1;
        else if (since + KEEP_MS > now) next.add(textOf(row, 'ip_address'), now, since + KEEP_MS, protection, out);
      }
      const found = new Set<string>();
      for (const row of called) {
        const number = textOf(row, 'called_number');
        if (found.size < MAX_NUMBERS && NUMBER.test(number) && countOf(row) >= settings.min_count)
          found.add(plain(number));
      }
      // since when it is listed, not since when it was read
      for (const [subject, since] of dated.entries()) next.listedSince(subject, since);
      dated = next;
      numbers = found;
      return { ...out, whole: true };
    },
    listed: (ip) => dated.listed(ip, clock.now(), parts.aloneMs()),
    hasNumber: (number) => numbers.has(plain(number)),
  };
};
