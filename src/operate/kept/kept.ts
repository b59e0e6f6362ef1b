import { setImmediate } from 'node:timers/promises';
import type { Clock, EpochMs, Memo, MemoKind, Records } from '../../model/index.ts';

/** Changed keys of one kind that wait; beyond, the oldest are left out and counted. */
const MAX_WAITING = 50_000;
/** Memos a transaction. Copying them to the database thread holds up the main thread: 100 samples, about 1 ms. */
const BATCH = 100;
/** Memos read between two looks at the event loop: about a millisecond. */
const AT_ONCE = 250;
/** From the change to the disk; what is killed in between costs evidence only, never a decision. */
const EVERY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Batches of one round: a flood is written as fast as the disk takes it, beside what is more urgent. */
const MAX_BATCHES = 20;
const LAST_ROUND_MS = 2_000;

/** One kind of memory that outlives a restart. */
export interface Keepsake {
  readonly kind: MemoKind;
  /** Written this often at most: what changes with every event. Left out: as soon as it can be. */
  readonly everyMs?: number;
  /** As it stands now; undefined: there is nothing of this key any more. */
  memoOf(key: string, now: EpochMs): Omit<Memo, 'kind' | 'key'> | undefined;
  /** Takes back what was kept. What came since the start is newer and stays. @throws whatever a row of another shape causes */
  restore(memo: Memo): void;
}

interface KeptLog {
  warn(fields: object, message: string): void;
}

export interface Kept {
  /** Something of this kind and key has changed; costs nothing. */
  changed(kind: MemoKind, key: string): void;
  /** Fills these memories again; what cannot be read is said and left out. Never throws. */
  restore(...keepsakes: readonly Keepsake[]): Promise<void>;
  /** Keys that are not on the disk yet, and those that found no room. */
  stats(): { readonly waiting: number; readonly dropped: number };
  /** Writes what waits, within some seconds. */
  stop(): Promise<void>;
}

export const createKept = (parts: {
  readonly records: Pick<Records, 'keep' | 'recall'>;
  readonly clock: Clock;
  readonly log: KeptLog;
}): Kept => {
  const { records, clock, log } = parts;
  const known = new Map<MemoKind, Keepsake>();
  const waiting = new Map<MemoKind, Set<string>>();
  const nextAt = new Map<MemoKind, number>();
  let dropped = 0;
  let writing = 0;
  let busy: Promise<void> | undefined;
  let retryMs = 0;
  let notBefore = 0;

  const waitingOf = (kind: MemoKind): Set<string> => {
    const keys = waiting.get(kind) ?? new Set<string>();
    waiting.set(kind, keys);
    return keys;
  };
  const changed = (kind: MemoKind, key: string): void => {
    const keys = waitingOf(kind);
    if (keys.size >= MAX_WAITING && !keys.has(key)) {
      dropped += 1;
      for (const oldest of keys) {
        keys.delete(oldest);
        break;
      }
    }
    keys.add(key);
  };

  /** The next changed keys, taken out. */
  const take = (all: boolean): { readonly kind: MemoKind; readonly key: string }[] => {
    const taken: { kind: MemoKind; key: string }[] = [];
    for (const [kind, keys] of waiting) {
      const keepsake = known.get(kind);
      if (keepsake === undefined || (!all && keepsake.everyMs !== undefined && clock.now() < (nextAt.get(kind) ?? 0)))
        continue;
      for (const key of keys) {
        if (taken.length >= BATCH) return taken;
        keys.delete(key);
        taken.push({ kind, key });
      }
      if (keepsake.everyMs !== undefined) nextAt.set(kind, clock.now() + keepsake.everyMs);
    }
    return taken;
  };

  const memoOf = ({ kind, key }: { readonly kind: MemoKind; readonly key: string }): Memo => {
    const now = clock.now();
    const memo = known.get(kind)?.memoOf(key, now);
    // one that has ended by its own word is taken out
    return { kind, key, ...(memo ?? { at: now, until: now, body: '' }) };
  };

  const round = async (all: boolean): Promise<void> => {
    for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
      const taken = take(all);
      writing = taken.length;
      if (taken.length === 0) return;
      try {
        await records.keep(taken.map(memoOf));
        writing = 0;
        retryMs = 0;
      } catch (error) {
        writing = 0;
        for (const { kind, key } of taken) changed(kind, key);
        if (retryMs === 0)
          log.warn(
            { event: 'memos-not-kept', problem: error instanceof Error ? error.message : String(error) },
            'Evidence and marks wait in memory: the database does not take them.',
          );
        retryMs = Math.min(LONGEST_RETRY_MS, Math.max(EVERY_MS, retryMs * 2));
        notBefore = clock.now() + retryMs;
        return;
      }
    }
  };
  const keepOn = (all = false): Promise<void> => {
    busy ??= round(all).finally(() => {
      busy = undefined;
    });
    return busy;
  };
  const timer = setInterval(() => {
    if (clock.now() >= notBefore) void keepOn();
  }, EVERY_MS);
  timer.unref();

  const waitingCount = (): number => [...waiting.values()].reduce((sum, { size }) => sum + size, 0);

  return {
    changed,
    async restore(...keepsakes) {
      for (const keepsake of keepsakes) {
        const { kind } = keepsake;
        let unreadable = 0;
        try {
          for (const [index, memo] of (await records.recall(kind, clock.now())).entries()) {
            // requests are waiting meanwhile
            if (index > 0 && index % AT_ONCE === 0) await setImmediate();
            try {
              keepsake.restore(memo);
            } catch {
              unreadable += 1;
            }
          }
        } catch (error) {
          const problem = error instanceof Error ? error.message : String(error);
          log.warn(
            { event: 'memos-unreadable', kind, problem },
            `What was kept of ${kind} cannot be read; it starts anew.`,
          );
        }
        if (unreadable > 0)
          log.warn(
            { event: 'memos-unreadable', kind, rows: unreadable },
            `Some of what was kept of ${kind} makes no sense.`,
          );
        known.set(kind, keepsake);
      }
    },
    stats: () => ({ waiting: waitingCount() + writing, dropped }),
    async stop() {
      clearInterval(timer);
      const until = clock.now() + LAST_ROUND_MS;
      retryMs = 0;
      do await keepOn(true);
      while (waitingCount() > 0 && retryMs === 0 && clock.now() < until);
    },
  };
};
