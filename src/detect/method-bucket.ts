import { z } from 'zod';
import type { EpochMs } from '../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from './base/detector.ts';
import { isExempt, provedItself } from './base/exempt.ts';
import { Memory } from './base/memory.ts';

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
  options: bucketSchema(20, 50),
  other: bucketSchema(20, 50).describe('all other methods together'),
  max_sources: z.int().min(1).max(1_000_000).default(100_000).describe('sources remembered'),
});

/** Adds weight; a bucket alone is never enough. */
const POINTS = 50;

/** One finding a second is evidence enough of an empty bucket. */
const QUIET_MS = 1_000;

interface Bucket {
  tokens: number;
  at: EpochMs;
  quietUntil: EpochMs;
  /** Until when the bucket holds debt from spoofable requests: full again means forgotten. */
  spoofable: boolean;
}

const bucketOf = (method: string): BucketMethod => {
  const upper = method.toUpperCase();
  return upper === 'REGISTER' || upper === 'INVITE' || upper === 'OPTIONS' ? upper : 'OTHER';
};

/**
 * Token bucket for each source and method: how fast a source may go on asking one thing. ACK and CANCEL are never
 * counted (they answer for another request), nor are customers who proved themselves.
 */
export const methodBucket: DetectorKind<typeof configSchema> = {
  id: 'method-bucket',
  configSchema,
  create(config) {
    const sources = new Memory<Partial<Record<BucketMethod, Bucket>>>(config.max_sources);
    return {
      id: 'method-bucket',
      detect(event, facts) {
        if (event.kind !== 'request' || isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        if (event.sip.method === 'ACK' || event.sip.method === 'CANCEL') return NO_FINDINGS;
        const method = bucketOf(event.sip.method);
        const { per_second, burst } = config[METHODS[method]];
        const buckets = sources.take(event.source.identity, () => ({}));
        const bucket = (buckets[method] ??= { tokens: burst, at: event.at, quietUntil: -Infinity, spoofable: false });
        const elapsedMs = Math.max(0, event.at - bucket.at);
        bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs * per_second) / 1_000);
        bucket.at = Math.max(bucket.at, event.at);
        if (bucket.tokens >= burst) bucket.spoofable = false;
        if (event.tier === 'spoofable') bucket.spoofable = true;
        if (bucket.tokens >= 1) {
          bucket.tokens -= 1;
          return NO_FINDINGS;
        }
        if (bucket.at < bucket.quietUntil) return NO_FINDINGS;
        bucket.quietUntil = bucket.at + QUIET_MS;
        return [
          {
            rule: 'method-bucket',
            family: 'flood',
            accused: { kind: 'source' },
            tier: bucket.spoofable ? 'spoofable' : 'proven',
            points: POINTS,
            evidence: `more than ${per_second} ${method === 'OTHER' ? 'other' : method} requests a second after a burst of ${burst}`,
          },
        ];
      },
      tables: () => ({ 'method-bucket.sources': sources.stats }),
    };
  },
};
