import { LRUCache } from 'lru-cache';
import { copied } from './recent-use.ts';
import type { EpochMs, MessageSample, Outcome, Request, Verdict } from '../../model/index.ts';

/** Sources with a message that is kept: 2 KB each at most. */
const MAX_SOURCES = 2_000;
/** A message that only looked odd is replaced by a later one after this long. */
const FRESH_MS = 10_000;
/** Messages redacted in a second: a flood must not spend our time on them. What decides has a share of its own. */
const MAX_A_SECOND = 50;
const MAX_DECIDING_A_SECOND = 200;
/** An outcome is told after its request: within the life of a transaction (RFC 3261 17.1.1.2, 32 s). */
const TRANSACTION_MS = 32_000;

/** A sample, and by what an operator may ask for its source. Attacker's text, each name cut. */
export interface KeptSample extends MessageSample {
  readonly ip: string;
  readonly callId: string;
  readonly users: readonly string[];
}

/** One message of each source that did something worth a look, without its secrets: what `why` shows. */
export interface Samples {
  see(event: Request | Outcome, verdict: Verdict): void;
  of(identity: string): MessageSample | undefined;
  /** The same with what leads to it; only one that decided. */
  decidedOf(identity: string): KeptSample | undefined;
  /** Tells of each sample that decided from now on; once only, to whoever keeps them. */
  watch(changed: (identity: string) => void): void;
  /** A sample of before a restart; one that came since stays. */
  restore(identity: string, sample: KeptSample): void;
  readonly size: number;
  readonly evicted: number;
}

const MAX_NAME_CHARS = 128;

const decides = ({ changes }: Verdict): boolean =>
  changes.some(({ op, entry }) => op === 'put' && (entry.kind === 'ban' || entry.kind === 'quarantine'));

export const createSamples = (): Samples => {
  let evicted = 0;
  let changed: (identity: string) => void = () => undefined;
  const samples = new LRUCache<string, KeptSample>({
    max: MAX_SOURCES,
    dispose: (_sample, _identity, reason) => {
      if (reason === 'evict') evicted += 1;
    },
  });
  const second = { at: 0, looked: 0, decided: 0 };

  const mayTake = (at: EpochMs, decided: boolean): boolean => {
    const now = Math.floor(at / 1_000);
    if (second.at !== now) Object.assign(second, { at: now, looked: 0, decided: 0 });
    if (decided) return (second.decided += 1) <= MAX_DECIDING_A_SECOND;
    return (second.looked += 1) <= MAX_A_SECOND;
  };

  return {
    see(event, verdict) {
      const decided = verdict.changes.length > 0 && decides(verdict);
      const { at, node, source } = event;
      if (event.kind === 'outcome') {
        const before = decided ? samples.peek(source.identity) : undefined;
        if (before !== undefined && at - before.at < TRANSACTION_MS) {
          samples.set(source.identity, { ...before, decided: true });
          changed(source.identity);
        }
        return;
      }
      if (event.sample === undefined) return;
      const odd = verdict.findings.length > 0 || (event.credentials !== 'none' && event.standing !== 'good');
      if (!decided && !odd) return;
      const known = samples.peek(source.identity);
      if (!decided && known !== undefined && (known.decided || at - known.at < FRESH_MS)) return;
      if (!mayTake(at, decided)) return;
      const { callId, from, authUser } = event.sip;
      samples.set(source.identity, {
        at,
        node,
        text: event.sample(),
        decided,
        ip: source.ip,
        callId: copied(callId.slice(0, MAX_NAME_CHARS)),
        users: [...new Set([from.user, authUser])]
          .filter((user) => user !== '')
          .map((user) => copied(user.slice(0, MAX_NAME_CHARS))),
      });
      if (decided) changed(source.identity);
    },
    of(identity) {
      const sample = samples.peek(identity);
      if (sample === undefined) return undefined;
      const { at, node, text, decided } = sample;
      return { at, node, text, decided };
    },
    decidedOf(identity) {
      const sample = samples.peek(identity);
      return sample?.decided === true ? sample : undefined;
    },
    watch(listener) {
      changed = listener;
    },
    restore(identity, sample) {
      if (!samples.has(identity)) samples.set(identity, sample);
    },
    get size() {
      return samples.size;
    },
    get evicted() {
      return evicted;
    },
  };
};
