import { z } from 'zod';
import type { EpochMs, Outcome } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { canonicalMethod } from '../base/canonical-method.ts';
import { isCustomer, isExempt, provedItself } from '../base/exempt.ts';
import { SourceKey } from '../base/source-key.ts';
import { SourceTable } from '../base/source-table.ts';

const bucketSchema = (per_second: number, burst: number) =>
  z
    .strictObject({
      per_second: z.number().positive().max(100_000).default(per_second),
      burst: z.int().min(1).max(100_000).default(burst),
    })
    .prefault({});

/** Methods with a bucket of their own, and its setting; all others, known or invented, share `OTHER`. */
const METHODS = { REGISTER: 'register', INVITE: 'invite', OPTIONS: 'options', OTHER: 'other' } as const;
type BucketMethod = keyof typeof METHODS;

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  register: bucketSchema(20, 120).describe('an office of 60 phones may register at once, and repeat each request'),
  invite: bucketSchema(5, 20),
  options: bucketSchema(60, 150).describe('carriers ping their trunks up to fifty times a second'),
  other: bucketSchema(20, 50).describe('all other methods together'),
  max_sources: z.int().min(1).max(1_000_000).default(100_000).describe('sources remembered'),
});

/** Adds weight; a bucket alone is never enough. */
const POINTS = 50;

/**
 * What a call that is answered gives back: somebody wanted it. Half, so that a flood to a line that answers everything is
 * one at twice the rate.
 */
const ANSWERED_TOKENS = 0.5;

/** One finding a second is evidence enough of an empty bucket. */
const QUIET_MS = 1_000;

/** Times are milliseconds since 1970: a fraction of a token can be a little too small. */
const ROUNDING = 0.001;

/** Each bucket by number, for they stand in columns. */
const NUMBER_OF: Readonly<Record<BucketMethod, number>> = { REGISTER: 0, INVITE: 1, OPTIONS: 2, OTHER: 3 };

const bucketOf = (method: string): BucketMethod => {
  const upper = canonicalMethod(method);
  return upper === 'REGISTER' || upper === 'INVITE' || upper === 'OPTIONS' ? upper : 'OTHER';
};

/** Which method has the bucket in each of the four columns: two bits each. */
const METHOD_BITS = 2;
const METHOD_MASK = 3;

/**
 * The buckets that are not full, of all sources. A bucket is the time at which it will be full again: what it holds before
 * then follows from the time. Most sources use one method at a time, so that buckets have no column of their own: each
 * takes the first one whose bucket is full again, and the memory of the others stays untouched.
 */
class Buckets {
  readonly #fullAt: readonly Float64Array[];
  readonly #methods: Uint8Array;

  constructor(sources: SourceTable) {
    this.#fullAt = Object.values(NUMBER_OF).map(() => sources.numbers());
    this.#methods = sources.bytes();
  }

  /** When this bucket is full again; `now` when it is. */
  fullAt(slot: number, method: number, now: EpochMs): EpochMs {
    const column = this.#find(slot, method, now);
    return column < 0 ? now : this.#fullAt[column]![slot]!;
  }

  fill(slot: number, method: number, now: EpochMs, fullAt: EpochMs): void {
    let column = this.#find(slot, method, now);
    if (column < 0) {
      column = this.#fullAt.findIndex((times) => times[slot]! <= now);
      const shift = column * METHOD_BITS;
      this.#methods[slot] = (this.#methods[slot]! & ~(METHOD_MASK << shift)) | (method << shift);
    }
    this.#fullAt[column]![slot] = fullAt;
  }

  #find(slot: number, method: number, now: EpochMs): number {
    const methods = this.#methods[slot]!;
    for (let column = 0; column < this.#fullAt.length; column += 1)
      if (((methods >> (column * METHOD_BITS)) & METHOD_MASK) === method && this.#fullAt[column]![slot]! > now)
        return column;
    return -1;
  }
}

/**
 * Token bucket for each source and method: how fast a source may go on asking one thing. ACK and CANCEL are never
 * counted (they answer for another request), nor are customers who proved themselves; who answers a challenge gets back what
 * the challenged request took, and whose call is answered half of that.
 */
export const methodBucket: DetectorKind<typeof configSchema> = {
  id: 'method-bucket',
  configSchema,
  create(config) {
    const key = new SourceKey();
    const sources = new SourceTable(config.max_sources);
    const last = sources.numbers();
    const buckets = new Buckets(sources);
    /** By bit: the bucket holds debt from spoofable requests. Full again means forgotten. */
    const spoofable = sources.bytes();
    /** By method: no finding before then. */
    const quietUntil = sources.sparse<EpochMs[]>();
    /** Gives tokens back. */
    const giveBack = (slot: number, method: BucketMethod, now: EpochMs, tokens: number): void => {
      const number = NUMBER_OF[method];
      const fullAt = buckets.fullAt(slot, number, now);
      if (fullAt <= now) return;
      buckets.fill(slot, number, now, Math.max(now, fullAt - (tokens * 1_000) / config[METHODS[method]].per_second));
    };

    const onReply = ({ source, at, method, code }: Extract<Outcome, { type: 'reply' }>): void => {
      if (method !== 'INVITE' || code < 200 || code >= 300) return;
      const slot = sources.find(key.read(source.identity));
      if (slot >= 0) giveBack(slot, 'INVITE', Math.max(at, last[slot]!), ANSWERED_TOKENS);
    };

    return {
      id: 'method-bucket',
      detect(event, facts) {
        if (event.kind === 'outcome') {
          if (event.type === 'reply') onReply(event);
          return NO_FINDINGS;
        }
        if (isExempt(facts) || isCustomer(event)) return NO_FINDINGS;
        if (event.sip.method === 'ACK' || event.sip.method === 'CANCEL') return NO_FINDINGS;
        const method = bucketOf(event.sip.method);
        const { per_second, burst } = config[METHODS[method]];
        const slot = sources.take(key.read(event.source.identity));
        const now = Math.max(event.at, last[slot]!);
        last[slot] = now;
        const number = NUMBER_OF[method];
        const bit = 1 << number;
        if (provedItself(event)) {
          // an answered challenge gives back what the challenged request took
          giveBack(slot, method, now, 1);
          return NO_FINDINGS;
        }
        const missing = ((buckets.fullAt(slot, number, now) - now) * per_second) / 1_000;
        if (missing <= ROUNDING) spoofable[slot]! &= ~bit;
        if (event.tier === 'spoofable') spoofable[slot]! |= bit;
        if (burst - missing >= 1 - ROUNDING) {
          buckets.fill(slot, number, now, now + ((missing + 1) * 1_000) / per_second);
          return NO_FINDINGS;
        }
        let quiet = quietUntil.get(slot);
        if (quiet === undefined) quietUntil.set(slot, (quiet = []));
        if (now < (quiet[number] ?? -Infinity)) return NO_FINDINGS;
        quiet[number] = now + QUIET_MS;
        return [
          {
            rule: 'method-bucket',
            family: 'flood',
            accused: { kind: 'source' },
            tier: (spoofable[slot]! & bit) === 0 ? 'proven' : 'spoofable',
            points: POINTS,
            evidence: `more than ${per_second} ${method === 'OTHER' ? 'other' : method} requests a second after a burst of ${burst}`,
          },
        ];
      },
      tables: () => ({ 'method-bucket.sources': sources.stats }),
    };
  },
};
