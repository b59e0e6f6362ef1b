import { DatedEntries, nothingLeftOut } from './dated.ts';
import { fieldOf, parseJson } from './kind.ts';
import type { Feed, FeedParts } from './kind.ts';

export interface ApibanSettings {
  readonly url: string;
  readonly api_key: string;
  readonly version: 1 | 2;
  /** Version 2 only: which of its sets. */
  readonly set: string;
}

/** APIBAN keeps an address for a week, and tells nobody when it lets go. */
const KEEP_MS = 604_800_000;
/** Eleven requests in two minutes are allowed. */
const MAX_PAGES = 10;
const LIMIT_WAIT_MS = 300_000;
const FROM_THE_START = '100';
const DEADLINE_MS = 20_000;
/** A page has 250 addresses. */
const MAX_PAGE_BYTES = 256 * 1024;
const MAX_PAGE_ADDRESSES = 2_000;
const ID = /^\d{1,20}$/;

interface Page {
  readonly addresses: readonly string[];
  /** Of the next page; undefined after the last. */
  readonly next: string | undefined;
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value.filter((item): item is string => typeof item === 'string').slice(0, MAX_PAGE_ADDRESSES)
    : [];

/** Reads one answer: the meaning is in the body, as much as in the status. */
const readPage = (status: number, body: Buffer): Page => {
  if (status === 429) throw new LimitError('its limit of requests is reached');
  if (status === 401 || status === 403) throw new Error('it does not accept the key (api_key)');
  if (status !== 200 && status !== 400) throw new Error(`it answered ${status}`);
  const json = parseJson(body, 'it');
  const id = fieldOf(json, 'ID') ?? fieldOf(json, 'id');
  const addresses = fieldOf(json, 'ipaddress');
  if (id === 'none') return { addresses: [], next: undefined };
  if (id === 'unauthorized') throw new Error('it does not accept the key (api_key)');
  const next = typeof id === 'number' ? String(id) : id;
  if (status === 400 || typeof next !== 'string' || !ID.test(next) || !Array.isArray(addresses))
    throw new Error(`it answered ${status} with something else than addresses`);
  return { addresses: textsOf(addresses), next };
};

class LimitError extends Error {}

interface Saved {
  readonly id: string;
  readonly entries: readonly (readonly [string, number, number])[];
}

const readSaved = (text: string | undefined): Saved => {
  const nothing: Saved = { id: FROM_THE_START, entries: [] };
  if (text === undefined) return nothing;
  try {
    const json: unknown = JSON.parse(text);
    const [id, entries] = [fieldOf(json, 'id'), fieldOf(json, 'entries')];
    if (typeof id !== 'string' || !ID.test(id) || !Array.isArray(entries)) return nothing;
    const sound = (entries as unknown[]).filter(
      (row): row is [string, number, number] =>
        Array.isArray(row) && typeof row[0] === 'string' && typeof row[1] === 'number' && typeof row[2] === 'number',
    );
    return { id, entries: sound };
  } catch {
    return nothing; // it is fetched from the start then
  }
};

/** APIBAN, both versions: addresses page by page, each kept for a week. Where it stands survives a restart. */
export const createApiban = (parts: FeedParts, settings: ApibanSettings): Feed => {
  const { clock, http } = parts;
  const dated = new DatedEntries();
  const saved = readSaved(parts.saved);
  let id = saved.id;
  if (saved.entries.length > 0) {
    const protection = parts.protection();
    const out = nothingLeftOut();
    for (const [subject, since, until] of saved.entries)
      if (until > clock.now()) dated.add(subject, since, until, protection, out);
  }
  const base = settings.url.replace(/\/+$/, '');
  const ask = async (from: string): Promise<Page> => {
    const bounds = { deadlineMs: DEADLINE_MS, maxBytes: MAX_PAGE_BYTES };
    const { status, body } =
      settings.version === 1
        ? await http(`${base}/api/${encodeURIComponent(settings.api_key)}/banned/${from}`, bounds)
        : await http(`${base}/api/get`, {
            ...bounds,
            method: 'POST',
            headers: { authorization: `Bearer ${settings.api_key}`, 'content-type': 'application/json' },
            body: JSON.stringify({ set: settings.set, id: from }),
          });
    return readPage(status, body);
  };

  return {
    get size() {
      return dated.size;
    },
    async poll() {
      const protection = parts.protection();
      const out = nothingLeftOut();
      const swept = dated.sweep(clock.now(), protection);
      out.hits.count += swept.count;
      out.hits.named.push(...swept.named);
      let waitMs: number | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        let read: Page;
        try {
          read = await ask(id);
        } catch (error) {
          // what came before the limit counts; the rest comes later
          if (!(error instanceof LimitError) || page === 0) throw error;
          waitMs = LIMIT_WAIT_MS;
          break;
        }
        const now = clock.now();
        for (const address of read.addresses) dated.add(address, now, now + KEEP_MS, protection, out);
        if (read.next === undefined || read.next === id) break;
        id = read.next;
      }
      return { ...out, waitMs };
    },
    listed: (ip) => dated.listed(ip, clock.now(), parts.aloneMs()),
    save: () => JSON.stringify({ id, entries: dated.entries() } satisfies Saved),
  };
};
