import { z } from 'zod';
import { ENOUGH_POINTS, type EpochMs, type Finding, type ProofTier } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isCustomer, isExempt, provedItself } from '../base/exempt.ts';
import { SourceKey } from '../base/source-key.ts';
import { SourceTable } from '../base/source-table.ts';
import type { SparseColumn } from '../base/sparse-column.ts';

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  requests: z.int().min(2).max(10_000).default(100).describe('requests of one source in a window that are too many'),
  prefix_requests: z.int().min(2).max(10_000).default(400).describe('the same for a whole /24 or IPv6 /48'),
  window: durationSetting('2s').describe('length of the sliding window'),
  max_sources: z.int().min(1).max(1_000_000).default(100_000).describe('sources remembered'),
});

/** Innocent neighbours share a prefix: noticed, never enough alone, and only held against those who take part. */
const PREFIX_POINTS = 40;
const PREFIX_OWN_REQUESTS = 5;

/** The last requests of one source that sent more than one: a ring of at most `limit` times. */
interface Ring {
  readonly times: number[];
  /** Where the next time goes once the ring is full; that is also the oldest. */
  next: number;
  lastSpoofable: EpochMs;
  quietUntil: EpochMs;
  /** Challenges that were answered: as many further requests do not count. */
  answered: number;
}

/** What is known of a slot's last request. */
const SEEN = 1;
const SPOOFABLE = 2;

/** An exact sliding window for each source, without buckets: whether its youngest `limit` requests lie within `windowMs`. */
class Windows {
  readonly table: SourceTable;
  readonly #last: Float64Array;
  readonly #flags: Uint8Array;
  readonly #rings: SparseColumn<Ring>;
  readonly #limit: number;
  readonly #windowMs: number;

  constructor(maxSources: number, limit: number, windowMs: number) {
    this.table = new SourceTable(maxSources);
    this.#last = this.table.numbers();
    this.#flags = this.table.bytes();
    this.#rings = this.table.sparse<Ring>();
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Adds a time. True at most once a window. A source that was silent for a window starts with an empty ring. */
  exceeds(slot: number, at: EpochMs, spoofable: boolean): boolean {
    const flags = this.#flags[slot]!;
    const last = this.#last[slot]!;
    const now = (flags & SEEN) === 0 ? at : Math.max(at, last);
    this.#last[slot] = now;
    if ((flags & SEEN) === 0 || now - last >= this.#windowMs) {
      this.#flags[slot] = spoofable ? SEEN | SPOOFABLE : SEEN;
      this.#rings.delete(slot);
      return false;
    }
    let ring = this.#rings.get(slot);
    if (ring === undefined) {
      ring = {
        times: [last],
        next: 0,
        lastSpoofable: (flags & SPOOFABLE) === 0 ? -Infinity : last,
        quietUntil: -Infinity,
        answered: 0,
      };
      this.#rings.set(slot, ring);
    }
    if (spoofable) ring.lastSpoofable = now;
    if (ring.answered > 0) {
      ring.answered -= 1;
      return false;
    }
    if (ring.times.length < this.#limit) {
      ring.times.push(now);
      if (ring.times.length < this.#limit) return false;
    } else {
      ring.times[ring.next] = now;
      ring.next = (ring.next + 1) % this.#limit;
    }
    const oldest = ring.times[ring.next] ?? now;
    if (now - oldest >= this.#windowMs || now < ring.quietUntil) return false;
    ring.quietUntil = now + this.#windowMs;
    return true;
  }

  /** One of its requests was not left alone: whoever sent it has answered the challenge. */
  answered(slot: number): void {
    const ring = this.#rings.get(slot);
    if (ring !== undefined) ring.answered = Math.min(this.#limit, ring.answered + 1);
  }

  /** Requests that are remembered, at most `limit`. */
  count(slot: number): number {
    return this.#rings.get(slot)?.times.length ?? 1;
  }

  /** Spoofable as long as one of the window's requests was. */
  tier(slot: number): ProofTier {
    const since = this.#last[slot]! - this.#windowMs;
    return (this.#rings.get(slot)?.lastSpoofable ?? -Infinity) > since ? 'spoofable' : 'proven';
  }
}

/** `192.0.2.0/24` or `2001:db8:1::/48` of an identity (those end in `::/64`, their zeros are at the end). */
export const prefixOf = (identity: string): string => {
  if (!identity.includes(':')) return `${identity.slice(0, identity.lastIndexOf('.') + 1)}0/24`;
  const gap = identity.indexOf('::');
  const groups = identity.slice(0, gap < 0 ? undefined : gap).split(':', 3);
  while (groups.length < 3) groups.push('0');
  return `${groups.map((group) => (group === '' ? '0' : group)).join(':')}::/48`;
};

/**
 * Too many requests at once, whatever they ask. Customers who proved themselves do not count, and who answers a challenge
 * makes up for the request that was challenged: an office of any size that registers again counts what is on its way. What is over the limit says nothing about intent.
 */
export const density: DetectorKind<typeof configSchema> = {
  id: 'density',
  configSchema,
  create(config) {
    const key = new SourceKey();
    const sources = new Windows(config.max_sources, config.requests, config.window);
    const prefixes = new Windows(config.max_sources, config.prefix_requests, config.window);
    const flood = (tier: ProofTier, points: number, rule: string, evidence: string): Finding => ({
      rule,
      family: 'flood',
      accused: { kind: 'source' },
      tier,
      points,
      evidence,
    });
    return {
      id: 'density',
      detect(event, facts) {
        if (event.kind !== 'request' || isExempt(facts)) return NO_FINDINGS;
        if (provedItself(event)) {
          if (isCustomer(event)) return NO_FINDINGS;
          sources.answered(sources.table.take(key.read(event.source.identity)));
          prefixes.answered(prefixes.table.take(key.toPrefix()));
          return NO_FINDINGS;
        }
        // carriers ping fifty times a second; a flood of OPTIONS empties their bucket instead
        if (event.sip.method === 'OPTIONS') return NO_FINDINGS;
        const { identity } = event.source;
        const spoofable = event.tier === 'spoofable';
        const source = sources.table.take(key.read(identity));
        const tooMany = sources.exceeds(source, event.at, spoofable);
        const prefix = prefixes.table.take(key.toPrefix());
        const tooManyNeighbours =
          prefixes.exceeds(prefix, event.at, spoofable) && sources.count(source) >= PREFIX_OWN_REQUESTS;
        if (!tooMany && !tooManyNeighbours) return NO_FINDINGS;
        const findings: Finding[] = [];
        if (tooMany) {
          const evidence = `${config.requests} requests within ${config.window} ms`;
          findings.push(flood(sources.tier(source), ENOUGH_POINTS, 'density.source', evidence));
        }
        if (tooManyNeighbours) {
          const evidence = `${config.prefix_requests} requests of ${prefixOf(identity)} within ${config.window} ms`;
          findings.push(flood(prefixes.tier(prefix), PREFIX_POINTS, 'density.prefix', evidence));
        }
        return findings;
      },
      tables: () => ({ 'density.sources': sources.table.stats, 'density.prefixes': prefixes.table.stats }),
    };
  },
};
