import { setImmediate as breathe } from 'node:timers/promises';
import { canonicalIp, identityOf } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import { dumpTable } from './dump.ts';
import type { DumpedKey } from './dump.ts';
import { OWN_BAN, TABLES } from './keys.ts';
import type { Table } from './keys.ts';
import { everySlot } from './mirror.ts';
import type { Mirror, Slot } from './mirror.ts';
import { slotId } from './outbox.ts';
import type { Outbox } from './outbox.ts';
import { readCounts, readKey } from './probe.ts';
import { RpcError } from './rpc.ts';
import type { KamailioRpc } from './rpc.ts';

/** A ban in the server's own table that is not ours. */
export interface ForeignKey {
  /** Identity of the address that the key names; the key itself when it names none. */
  readonly subject: string;
  readonly key: string;
  readonly value: string;
}

/** Kamailio's timer takes expired keys out every 20 s (seen: 19.3 s); so long they still count. */
export const SWEEP_GRACE_MS = 25_000;
/** Keys looked at before the event loop gets a turn: about a millisecond. */
const SLICE = 2_000;
/** Keys checked one by one in each round, whatever the counts say: finds what counting cannot. */
const AUDIT_KEYS = 100;
/** Keys checked in each round of a table whose dump is too large for Kamailio's memory. */
const WALK_KEYS = 2_000;
const WALK_WINDOW = 16;
/** Rounds that wait after a walk that changed nothing: doubles up to this. */
const MAX_BACKOFF_ROUNDS = 8;
/** A failed dump is not tried again for so many rounds. */
const DUMP_RETRY_ROUNDS = 150;
const MAX_FOREIGN = 100_000;

interface TableMemory {
  /** Rounds still to wait before the next walk, and how many the next fruitless one costs. */
  wait: number;
  backoff: number;
  /** Rounds without dumps; the table is walked key by key. */
  noDump: number;
  cursor: Iterator<Slot> | undefined;
}

export interface Reconciler {
  /** Compares every table and mends it. @returns entries found missing, stray or wrong. @throws RpcError */
  round(): Promise<number>;
  /** The next round walks every table. */
  forceWalk(): void;
  /** Foreign keys in `ipban` as last seen. */
  readonly foreign: ReadonlyMap<string, string>;
  readonly counters: { walks: number; failedDumps: number; missing: number; strays: number };
}

export interface ReconcilerOptions {
  readonly rpc: KamailioRpc;
  readonly mirror: Mirror;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly usable: (table: Table) => boolean;
  readonly onForeign: (found: readonly ForeignKey[]) => void;
}

const subjectOfKey = (key: string): string => {
  const ip = canonicalIp(key);
  if (ip !== undefined) return identityOf(ip);
  if (!/^[0-9a-f]{16}$/.test(key)) return key;
  return identityOf(canonicalIp(`${key.replaceAll(/(.{4})/g, '$1:')}:`) ?? key);
};

/** Finds what Kamailio holds too much or too little, and has it mended through the outbox. */
export const createReconciler = (options: ReconcilerOptions): Reconciler => {
  const { rpc, mirror, outbox, clock, usable, onForeign } = options;
  const foreign = new Map<string, string>();
  const counters = { walks: 0, failedDumps: 0, missing: 0, strays: 0 };
  const memory = new Map<Table, TableMemory>(
    TABLES.map((table) => [table, { wait: 0, backoff: 1, noDump: 0, cursor: undefined }]),
  );
  let audit: Iterator<Slot> | undefined;
  let forced = false;
  let walkNumber = 0;

  /** Kamailio may hold up to all of our keys, the expired ones included, and must hold those that have not expired. */
  const agrees = (table: Table, count: number, slack: number): boolean => {
    const most = mirror.tables[table].size + (table === 'ipban' ? foreign.size : 0);
    return count >= most - mirror.expired[table] - slack && count <= most + slack;
  };

  const settledBefore = (slot: Slot, serial: number): boolean =>
    slot.changed <= serial && slot.confirmed <= serial && !outbox.isPending(slot.table, slot.key);

  const remend = (slots: readonly Slot[]): number => {
    const live = slots.filter((slot) => !slot.expired && slot.until > clock.now());
    outbox.set(live);
    counters.missing += live.length;
    return live.length;
  };

  /** Sorts one batch of a dump: ours and right, ours and wrong, foreign, stray. */
  const sort = (table: Table, keys: readonly DumpedKey[], walk: { serial: number; number: number; deletes: ReadonlySet<string>; seenForeign: Map<string, string> }): { wrong: Slot[]; strays: Slot[] } => {
    const wrong: Slot[] = [];
    const strays: Slot[] = [];
    for (const { key, value } of keys) {
      const slot = mirror.tables[table].get(key);
      if (slot !== undefined) {
        slot.seen = walk.number;
        if (slot.value !== value && settledBefore(slot, walk.serial)) wrong.push(slot);
      } else if (table === 'ipban' && !String(value).startsWith(OWN_BAN)) {
        if (walk.seenForeign.size < MAX_FOREIGN) walk.seenForeign.set(key, String(value));
      } else if (!walk.deletes.has(slotId(table, key))) {
        strays.push({ table, key, value, until: 0, claims: [], expired: true, changed: 0, confirmed: 0, seen: 0 });
      }
    }
    return { wrong, strays };
  };

  const adopt = (seen: ReadonlyMap<string, string>): void => {
    const found: ForeignKey[] = [];
    for (const [key, value] of seen) if (!foreign.has(key)) found.push({ subject: subjectOfKey(key), key, value });
    foreign.clear();
    for (const [key, value] of seen) foreign.set(key, value);
    if (found.length > 0) onForeign(found);
  };

  const walkByDump = async (table: Table): Promise<number> => {
    counters.walks += 1;
    walkNumber += 1;
    const walk = { serial: mirror.tick(), number: walkNumber, deletes: outbox.trackDeletes(), seenForeign: new Map<string, string>() };
    let drift = 0;
    try {
      for await (const keys of dumpTable(rpc, table)) {
        const { wrong, strays } = sort(table, keys, walk);
        drift += remend(wrong) + strays.length;
        counters.strays += strays.length;
        outbox.remove(strays);
      }
    } finally {
      outbox.untrackDeletes();
    }
    if (table === 'ipban') adopt(walk.seenForeign);
    let missing: Slot[] = [];
    let looked = 0;
    for (const slot of mirror.tables[table].values()) {
      if (slot.seen !== walk.number && settledBefore(slot, walk.serial)) missing.push(slot);
      if (++looked % SLICE !== 0) continue;
      drift += remend(missing);
      missing = [];
      await breathe();
    }
    return drift + remend(missing);
  };

  /** Reads keys one by one, as far as the iterator goes. */
  const check = async (next: () => Slot | undefined, limit: number): Promise<number> => {
    let left = limit;
    let drift = 0;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const slot = next();
        if (slot === undefined) return;
        if (slot.expired || slot.until <= clock.now() + 1_000 || !usable(slot.table)) continue;
        const serial = mirror.tick();
        const held = await readKey(rpc, slot.table, slot.key);
        if (held?.value !== slot.value && mirror.tables[slot.table].get(slot.key) === slot && settledBefore(slot, serial)) drift += remend([slot]);
      }
    };
    await Promise.all(Array.from({ length: WALK_WINDOW }, worker));
    return drift;
  };

  const walkByKeys = async (table: Table, state: TableMemory): Promise<number> => {
    const cursor = (state.cursor ??= mirror.tables[table].values());
    return check(() => {
      const next = cursor.next();
      if (next.done !== true) return next.value;
      state.cursor = undefined;
      return undefined;
    }, WALK_KEYS);
  };

  const walk = async (table: Table, state: TableMemory): Promise<number> => {
    if (state.noDump > 0) return walkByKeys(table, state);
    try {
      return await walkByDump(table);
    } catch (error) {
      if (!(error instanceof RpcError) || error.failure === 'unreachable') throw error;
      counters.failedDumps += 1;
      state.noDump = DUMP_RETRY_ROUNDS;
      return walkByKeys(table, state);
    }
  };

  return {
    foreign,
    counters,
    forceWalk() {
      forced = true;
    },
    async round() {
      const now = clock.now();
      let looked = 0;
      for (const slot of everySlot(mirror)) {
        mirror.age(slot, now, SWEEP_GRACE_MS);
        if (++looked % SLICE === 0) await breathe();
      }
      const before = outbox.pending();
      const writtenBefore = outbox.counters.pushed + outbox.counters.deleted;
      const counts = await readCounts(rpc);
      const slack = Math.max(before, outbox.pending()) + outbox.counters.pushed + outbox.counters.deleted - writtenBefore;
      const walkAll = forced;
      forced = false;
      let drift = 0;
      for (const table of TABLES) {
        const state = memory.get(table);
        const count = counts.get(table);
        if (state === undefined || count === undefined || !usable(table)) continue;
        state.noDump = Math.max(0, state.noDump - 1);
        if (!walkAll && agrees(table, count, slack)) {
          state.wait = 0;
          state.backoff = 1;
          continue;
        }
        if (!walkAll && state.wait > 0) {
          state.wait -= 1;
          continue;
        }
        const found = await walk(table, state);
        const goesOn = state.cursor !== undefined || (found > 0 && state.backoff === 1);
        state.wait = goesOn ? 0 : state.backoff;
        state.backoff = Math.min(MAX_BACKOFF_ROUNDS, state.backoff * 2);
        drift += found;
      }
      audit ??= everySlot(mirror);
      const cursor = audit;
      return drift + (await check(() => {
        const next = cursor.next();
        if (next.done !== true) return next.value;
        audit = undefined;
        return undefined;
      }, AUDIT_KEYS));
    },
  };
};
