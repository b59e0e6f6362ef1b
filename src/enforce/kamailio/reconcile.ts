import { setImmediate as breathe } from 'node:timers/promises';
import type { Clock } from '../../model/index.ts';
import { readCounts } from './door/probe.ts';
import { RpcError } from './door/rpc.ts';
import type { KamailioRpc } from './door/rpc.ts';
import { TABLES } from './keys.ts';
import type { Table } from './keys.ts';
import { everySlot } from './mirror.ts';
import type { Mirror, Slot } from './mirror.ts';
import type { Outbox } from './outbox.ts';
import type { Walker } from './walk.ts';

/** Kamailio's timer takes expired keys out every 20 s (seen: 19.3 s); so long they still count. */
const SWEEP_GRACE_MS = 25_000;
/** Keys looked at before the event loop gets a turn: about a millisecond. */
const SLICE = 2_000;
/** Keys checked one by one in each round, whatever the counts say: finds what counting cannot. */
const AUDIT_KEYS = 100;
/** Keys checked in each round of a table whose dump is too large for Kamailio's memory. */
const WALK_KEYS = 2_000;
/** Rounds that wait after a walk that did not make the counts agree: doubles up to this. */
const MAX_BACKOFF_ROUNDS = 8;
/** A failed dump is not tried again for so many rounds, unless the table has become smaller by a quarter. */
const DUMP_RETRY_ROUNDS = 150;
const DUMP_RETRY_SHARE = 0.75;

interface TableMemory {
  readonly table: Table;
  /** Rounds still to wait before the next walk, and how many the next one costs. */
  wait: number;
  backoff: number;
  /** Rounds without dumps, since one failed at `tooMany` keys; the table is walked key by key. */
  noDump: number;
  tooMany: number;
  cursor: Iterator<Slot> | undefined;
}

export interface Reconciler {
  /** Compares every table and mends it. @returns entries found missing, stray or wrong. @throws RpcError */
  round(): Promise<number>;
  /** The next round walks every table. */
  forceWalk(): void;
  isForced(): boolean;
  readonly counters: { rounds: number; failedDumps: number };
}

export interface ReconcilerOptions {
  readonly rpc: KamailioRpc;
  readonly mirror: Mirror;
  readonly outbox: Outbox;
  readonly walker: Walker;
  readonly clock: Clock;
  readonly usable: (table: Table) => boolean;
}

/** Counts, and walks where the counts do not agree: cheap while all is well. */
export const createReconciler = (options: ReconcilerOptions): Reconciler => {
  const { rpc, mirror, outbox, walker, clock, usable } = options;
  const counters = { rounds: 0, failedDumps: 0 };
  const memories = TABLES.map((table): TableMemory => ({
    table,
    wait: 0,
    backoff: 1,
    noDump: 0,
    tooMany: Infinity,
    cursor: undefined,
  }));
  let audit: Iterator<Slot> | undefined;
  let forced = false;

  const ageAll = async (): Promise<void> => {
    const now = clock.now();
    let looked = 0;
    for (const slot of everySlot(mirror)) {
      mirror.age(slot, now, SWEEP_GRACE_MS);
      if (++looked % SLICE === 0) await breathe();
    }
  };

  /** The counts, and how far they may be off because we wrote meanwhile. */
  const count = async (): Promise<{ counts: ReadonlyMap<string, number>; slack: number }> => {
    const written = (): number => outbox.counters.pushed + outbox.counters.deleted;
    const [pendingBefore, writtenBefore] = [outbox.pending(), written()];
    const counts = await readCounts(rpc);
    return { counts, slack: Math.max(pendingBefore, outbox.pending()) + written() - writtenBefore };
  };

  /** Kamailio must hold what has not expired, and may hold the rest until its timer comes. */
  const agrees = (table: Table, held: number, slack: number): boolean => {
    const most = mirror.tables[table].size + (table === 'ipban' ? walker.foreign.size : 0);
    return held >= most - mirror.expired[table] - slack && held <= most + slack;
  };

  const walkByKeys = (memory: TableMemory): Promise<number> => {
    const cursor = (memory.cursor ??= mirror.tables[memory.table].values());
    return walker.some(() => {
      const next = cursor.next();
      if (next.done !== true) return next.value;
      memory.cursor = undefined;
      return undefined;
    }, WALK_KEYS);
  };

  const walk = async (memory: TableMemory, held: number): Promise<number> => {
    if (memory.noDump > 0 && held > memory.tooMany * DUMP_RETRY_SHARE) return walkByKeys(memory);
    try {
      return await walker.whole(memory.table);
    } catch (error) {
      if (!(error instanceof RpcError) || error.failure === 'unreachable') throw error;
      counters.failedDumps += 1;
      memory.noDump = DUMP_RETRY_ROUNDS;
      memory.tooMany = held;
      return walkByKeys(memory);
    }
  };

  const reconcile = async (memory: TableMemory, held: number, slack: number, mustWalk: boolean): Promise<number> => {
    memory.noDump = Math.max(0, memory.noDump - 1);
    if (!mustWalk && agrees(memory.table, held, slack)) {
      memory.wait = 0;
      memory.backoff = 1;
      return 0;
    }
    if (!mustWalk && memory.wait > 0) {
      memory.wait -= 1;
      return 0;
    }
    const found = await walk(memory, held);
    const goesOn = memory.cursor !== undefined || (found > 0 && memory.backoff === 1);
    memory.wait = goesOn ? 0 : memory.backoff;
    memory.backoff = Math.min(MAX_BACKOFF_ROUNDS, memory.backoff * 2);
    return found;
  };

  return {
    counters,
    forceWalk() {
      forced = true;
    },
    isForced: () => forced,
    async round() {
      await ageAll();
      const { counts, slack } = await count();
      const mustWalk = forced;
      forced = false;
      let drift = 0;
      for (const memory of memories) {
        const held = counts.get(memory.table);
        if (held !== undefined && usable(memory.table)) drift += await reconcile(memory, held, slack, mustWalk);
      }
      const cursor = (audit ??= everySlot(mirror));
      const audited = await walker.some(() => {
        const next = cursor.next();
        if (next.done !== true) return next.value;
        audit = undefined;
        return undefined;
      }, AUDIT_KEYS);
      if (usable('ipban')) await walker.someForeign(AUDIT_KEYS);
      counters.rounds += 1;
      return drift + audited;
    },
  };
};
