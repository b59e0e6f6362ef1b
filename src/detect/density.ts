import { z } from 'zod';
import { ENOUGH_POINTS, type EpochMs, type Finding } from '../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from './base/detector.ts';
import { durationSetting } from './base/duration-setting.ts';
import { isExempt, provedItself } from './base/exempt.ts';
import { Memory } from './base/memory.ts';

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

/** The last requests of one source: a ring of at most `limit` times, and when it last sent something unproven. */
interface Window {
  times: number[];
  /** Where the next time goes once the ring is full; that is also the oldest. */
  next: number;
  last: EpochMs;
  lastSpoofable: EpochMs;
  quietUntil: EpochMs;
}

const newWindow = (): Window => ({
  times: [],
  next: 0,
  last: -Infinity,
  lastSpoofable: -Infinity,
  quietUntil: -Infinity,
});

/**
 * Adds a time and says whether the youngest `limit` requests lie within `windowMs`: an exact sliding window, without
 * buckets. True at most once a window. A source that was silent for a window starts with an empty ring.
 */
const exceeds = (window: Window, at: EpochMs, spoofable: boolean, limit: number, windowMs: number): boolean => {
  const now = Math.max(at, window.last);
  if (now - window.last >= windowMs) {
    window.times = [];
    window.next = 0;
  }
  window.last = now;
  if (spoofable) window.lastSpoofable = now;
  if (window.times.length < limit) {
    window.times.push(now);
    if (window.times.length < limit) return false;
  } else {
    window.times[window.next] = now;
    window.next = (window.next + 1) % limit;
  }
  const oldest = window.times[window.next] ?? now;
  if (now - oldest >= windowMs || now < window.quietUntil) return false;
  window.quietUntil = now + windowMs;
  return true;
};

/** `192.0.2.` for the /24, `2001:db8:1` for the /48 (identities end in `::/64`, their zeros are at the end). */
export const prefixOf = (identity: string): { readonly key: string; readonly text: string } => {
  if (!identity.includes(':')) {
    const key = identity.slice(0, identity.lastIndexOf('.') + 1);
    return { key, text: `${key}0/24` };
  }
  const gap = identity.indexOf('::');
  const groups = identity.slice(0, gap < 0 ? undefined : gap).split(':', 3);
  while (groups.length < 3) groups.push('0');
  const key = groups.map((group) => (group === '' ? '0' : group)).join(':');
  return { key, text: `${key}::/48` };
};

/**
 * Too many requests at once, whatever they ask. Customers who proved themselves do not count, so an office that
 * registers again counts each phone's first request only. What is over the limit says nothing about intent.
 */
export const density: DetectorKind<typeof configSchema> = {
  id: 'density',
  configSchema,
  create(config) {
    const sources = new Memory<Window>(config.max_sources);
    const prefixes = new Memory<Window>(config.max_sources);
    const flood = (window: Window, points: number, rule: string, evidence: string): Finding => ({
      rule,
      family: 'flood',
      accused: { kind: 'source' },
      tier: window.lastSpoofable > window.last - config.window ? 'spoofable' : 'proven',
      points,
      evidence,
    });
    return {
      id: 'density',
      detect(event, facts) {
        if (event.kind !== 'request' || isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        const { identity } = event.source;
        const spoofable = event.tier === 'spoofable';
        const findings: Finding[] = [];
        const source = sources.take(identity, newWindow);
        if (exceeds(source, event.at, spoofable, config.requests, config.window)) {
          const evidence = `${config.requests} requests within ${config.window} ms`;
          findings.push(flood(source, ENOUGH_POINTS, 'density.source', evidence));
        }
        const prefix = prefixOf(identity);
        const window = prefixes.take(prefix.key, newWindow);
        const takesPart = source.times.length >= PREFIX_OWN_REQUESTS;
        if (exceeds(window, event.at, spoofable, config.prefix_requests, config.window) && takesPart) {
          const evidence = `${config.prefix_requests} requests of ${prefix.text} within ${config.window} ms`;
          findings.push(flood(window, PREFIX_POINTS, 'density.prefix', evidence));
        }
        return findings;
      },
      tables: () => ({ 'density.sources': sources.stats, 'density.prefixes': prefixes.stats }),
    };
  },
};
