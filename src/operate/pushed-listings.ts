import { LRUCache } from 'lru-cache';
import type { BanEntry, Change, Clock } from '../model/index.ts';

/** A key stands for this long; who still comes then is asked about again, and pushed again. */
const KEY_MS = 3_600_000;
const RENEW_MS = 900_000;

export interface PushedListings {
  /** A listed stranger has come and was turned away: the servers may do that by themselves now. */
  push(identity: string, reason: string, until: number | null): void;
  /** Takes back what is not listed any more. */
  review(isListed: (identity: string) => boolean): void;
  /** What the servers should hold. */
  entries(): Iterable<BanEntry>;
  readonly size: number;
}

/**
 * Listed addresses that the servers hold themselves: those that have come, and no more than the cap. A feed of a million
 * never becomes a million keys; companion answers for all others.
 */
export const createPushedListings = (
  max: number,
  clock: Clock,
  apply: (changes: readonly Change[]) => void,
): PushedListings => {
  let dropped: BanEntry[] = [];
  const held = new LRUCache<string, BanEntry>({
    max: Math.max(1, max),
    dispose: (entry, _identity, reason) => {
      if (reason === 'evict') dropped.push(entry);
    },
  });
  const lift = (entry: BanEntry): Change => ({ op: 'remove', entry, why: 'superseded' });
  return {
    push(identity, reason, until) {
      if (max === 0) return;
      const now = clock.now();
      const known = held.get(identity);
      if (known !== undefined && (known.until ?? Infinity) - now > RENEW_MS) return;
      const entry: BanEntry = {
        kind: 'ban',
        subject: identity,
        level: 0,
        rules: ['feed'],
        evidence: [],
        origin: 'feed',
        reason,
        since: known?.since ?? now,
        until: Math.min(until ?? Number.POSITIVE_INFINITY, now + KEY_MS),
      };
      held.set(identity, entry);
      const changes: Change[] = [{ op: 'put', entry }, ...dropped.map(lift)];
      dropped = [];
      apply(changes);
    },
    review(isListed) {
      const gone: Change[] = [];
      for (const [identity, entry] of held) {
        if ((entry.until ?? 0) > clock.now() && isListed(identity)) continue;
        held.delete(identity);
        gone.push(lift(entry));
      }
      if (gone.length > 0) apply(gone);
    },
    entries: () => held.values(),
    get size() {
      return held.size;
    },
  };
};
