import { DatedEntries, nothingLeftOut } from './dated.ts';
import type { LeftOut } from './dated.ts';
import { fieldOf, parseJson } from './kind.ts';
import type { Feed, FeedParts } from './kind.ts';

export interface CrowdsecSettings {
  readonly url: string;
  readonly api_key: string;
  /** Only decisions of these origins; empty: of all. */
  readonly origins: readonly string[];
}

const DEADLINE_MS = 30_000;
/** The whole of a large community list, some 300 bytes a decision. */
const MAX_BYTES = 128 * 1024 * 1024;
/** All of it again this often: a deletion that was missed heals then. */
const WHOLE_EVERY_MS = 6 * 3_600_000;
/** Of a decision that names no end. */
const NO_END_MS = 4 * 3_600_000;
const LONGEST_MS = 366 * 86_400_000;
/** Decisions taken in between two looks at the event loop. */
const AT_ONCE = 1_000;

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** Go's duration text, `3h59m58.1s`, in milliseconds; undefined for anything else. */
export const goDurationMs = (text: string): number | undefined => {
  if (text.length > 60 || !/^-?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g))
    ms += Number(number) * (UNITS[unit] ?? 0);
  return text.startsWith('-') ? -ms : ms;
};

const textOf = (value: unknown, key: string): string => {
  const field = fieldOf(value, key);
  return typeof field === 'string' ? field : '';
};

/** `null` is an empty list; anything else that is none is an error. */
const listOf = (json: unknown, key: string): readonly unknown[] => {
  const value = fieldOf(json, key);
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new Error(`it answered without a list of ${key} decisions`);
};

/** A page that is no stream at all would else read as one that has ended everything. */
const streamOf = (body: Buffer): readonly [added: readonly unknown[], deleted: readonly unknown[]] => {
  const json = parseJson(body, 'it');
  if (fieldOf(json, 'new') === undefined && fieldOf(json, 'deleted') === undefined)
    throw new Error('it answered with something else than decisions');
  return [listOf(json, 'new'), listOf(json, 'deleted')];
};

/** The decision stream of a CrowdSec LAPI, as a bouncer reads it: bans of addresses and ranges. */
export const createCrowdsec = (parts: FeedParts, settings: CrowdsecSettings): Feed => {
  const { clock, http } = parts;
  let dated = new DatedEntries();
  /** What we have may be incomplete: ask for all of it. */
  let whole = true;
  let wholeAt = -Infinity;
  const base = settings.url.replace(/\/+$/, '');
  const origins = settings.origins.length === 0 ? '' : `&origins=${settings.origins.map(encodeURIComponent).join(',')}`;

  const endOf = (decision: unknown): number => {
    const now = clock.now();
    const until = Date.parse(textOf(decision, 'until'));
    const left = goDurationMs(textOf(decision, 'duration'));
    const end = left === undefined ? (Number.isNaN(until) ? now + NO_END_MS : until) : now + left;
    return Math.min(end, now + LONGEST_MS);
  };

  /** Why a decision is not ours to take, or undefined. */
  const unfit = (decision: unknown): string | undefined => {
    if (!/^(?:ip|range)$/i.test(textOf(decision, 'scope'))) return 'other-scope';
    if (textOf(decision, 'type').toLowerCase() !== 'ban') return 'other-type';
    if (fieldOf(decision, 'simulated') === true) return 'simulated';
    // our own, come back to us
    return textOf(decision, 'origin') === 'companion' ? 'own' : undefined;
  };

  const take = async (into: DatedEntries, decisions: readonly unknown[], out: LeftOut): Promise<void> => {
    const protection = parts.protection();
    for (const [index, decision] of decisions.entries()) {
      if (index > 0 && index % AT_ONCE === 0) await new Promise(setImmediate);
      const why = unfit(decision);
      const until = endOf(decision);
      if (why !== undefined) out.left[why] = (out.left[why] ?? 0) + 1;
      else if (until > clock.now()) into.add(textOf(decision, 'value'), clock.now(), until, protection, out);
    }
  };

  return {
    get size() {
      return dated.size;
    },
    async poll() {
      const startup = whole || clock.now() - wholeAt > WHOLE_EVERY_MS;
      // whatever goes wrong from here on may lose what it sends only once
      whole = true;
      const { status, body } = await http(`${base}/v1/decisions/stream?startup=${startup}&scopes=ip,range${origins}`, {
        headers: { 'x-api-key': settings.api_key },
        deadlineMs: DEADLINE_MS,
        maxBytes: MAX_BYTES,
      });
      if (status === 401 || status === 403) throw new Error('it does not accept the key (api_key)');
      if (status !== 200) throw new Error(`it answered ${status}`);
      const [added, deleted] = streamOf(body);
      const out = nothingLeftOut();
      const next = startup ? new DatedEntries() : dated;
      if (!startup) {
        for (const decision of deleted) dated.remove(textOf(decision, 'value'));
        const swept = dated.sweep(clock.now(), parts.protection());
        out.hits.count += swept.count;
        out.hits.named.push(...swept.named);
      }
      await take(next, added, out);
      if (startup) for (const [subject, since] of dated.entries()) next.listedSince(subject, since);
      dated = next;
      whole = false;
      if (startup) wholeAt = clock.now();
      return { ...out, whole: startup, same: !startup && added.length === 0 && deleted.length === 0 };
    },
    listed: (ip) => dated.listed(ip, clock.now(), parts.aloneMs()),
  };
};
