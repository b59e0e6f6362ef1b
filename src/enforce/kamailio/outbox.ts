import type { Clock } from '../../model/index.ts';
import { TABLES, ttlSeconds } from './keys.ts';
import type { Table } from './keys.ts';
import type { Mirror, Slot } from './mirror.ts';
import type { BulkWriter, Write } from './door/bulk.ts';
import type { RpcError } from './door/rpc.ts';

/** Keys waiting. Beyond it they are dropped and counted; reconciliation finds them. */
export const MAX_QUEUED = 100_000;

/** Order in ordinary running: what lifts or bans goes first. */
const LANES = ['delete', 'nets', 'ipban', 'companion_net', 'companion_state', 'companion_good'] as const;
type Lane = (typeof LANES)[number];

interface Op {
  /** Table and key: one operation at a time for each, the latest wins. */
  readonly id: string;
  readonly lane: Lane;
  readonly slot: Slot | undefined;
}

export const slotId = (table: Table, key: string): string => `${table} ${key}`;

const setOp = (slot: Slot): Op => ({ id: slotId(slot.table, slot.key), lane: slot.table, slot });
const deleteOp = (slot: Slot): Op => ({ id: slotId(slot.table, slot.key), lane: 'delete', slot });
const NETS_OP: Op = { id: 'companion_meta nets', lane: 'nets', slot: undefined };

/** Full re-push: each phase is confirmed before the next begins. Known-good stands before any ban. */
const phasesOf = (mirror: Mirror): IterableIterator<Op>[] => {
  const slots = function* (tables: readonly Table[], wanted: (slot: Slot) => boolean): Generator<Op> {
    for (const table of tables) for (const slot of mirror.tables[table].values()) if (wanted(slot)) yield setOp(slot);
  };
  const isAllow = (slot: Slot): boolean => slot.table === 'companion_net' && slot.key.startsWith('a');
  return [
    slots(['companion_good'], () => true),
    [NETS_OP].values(),
    slots(['companion_net'], isAllow),
    slots(
      TABLES.filter((table) => table !== 'companion_good'),
      (slot) => !isAllow(slot),
    ),
  ];
};

export interface Outbox {
  set(slots: readonly Slot[]): void;
  remove(slots: readonly Slot[]): void;
  /** Whatever the work queues is sent together afterwards, most urgent first. */
  together(work: () => void): void;
  /** Writes the number of network keys, which the script looks at first. */
  setNets(): void;
  /** Writes all of the mirror again, known-good first. Of what waits only the deletes are kept. */
  refill(): void;
  pause(): void;
  resume(): void;
  /** Keys waiting or under way. */
  pending(): number;
  isPending(table: Table, key: string): boolean;
  isRefilling(): boolean;
  /** Collects the ids that are deleted from now on, those under way included, until `untrack`. */
  trackDeletes(): Set<string>;
  untrackDeletes(): void;
  readonly counters: { pushed: number; deleted: number; failed: number; dropped: number };
}

export interface OutboxOptions {
  readonly writer: BulkWriter;
  readonly mirror: Mirror;
  readonly clock: Clock;
  /** A table that must not be written (missing, or without autoexpire). */
  readonly usable: (table: Table) => boolean;
  readonly onLost: (error: RpcError) => void;
  readonly onRefused: (error: RpcError) => void;
}

/** What waits to be written to one Kamailio: deduplicated by key, bounded, a limited number under way at once. */
export const createOutbox = ({ writer, mirror, clock, usable, onLost, onRefused }: OutboxOptions): Outbox => {
  const lanes: Record<Lane, Map<string, Op>> = {
    delete: new Map(),
    nets: new Map(),
    ipban: new Map(),
    companion_net: new Map(),
    companion_state: new Map(),
    companion_good: new Map(),
  };
  const fronts: Partial<Record<Lane, MapIterator<Op>>> = {};
  const laneOf = new Map<string, Lane>();
  const flying = new Set<string>();
  /** Waits until the same key's call has come back. */
  const parked = new Map<string, Op>();
  const counters = { pushed: 0, deleted: 0, failed: 0, dropped: 0 };
  let phases: IterableIterator<Op>[] = [];
  let deletes: Set<string> | undefined;
  let running = false;
  let isGathering = false;

  /** From where the last one was taken: from the front, a map would be walked over all that was deleted there. */
  const take = (lane: Lane): Op | undefined => {
    while (lanes[lane].size > 0) {
      const { done, value: op } = (fronts[lane] ??= lanes[lane].values()).next();
      if (done === true) {
        delete fronts[lane];
        continue;
      }
      lanes[lane].delete(op.id);
      laneOf.delete(op.id);
      return op;
    }
    return undefined;
  };

  const enqueue = (op: Op): void => {
    if (op.lane === 'delete') deletes?.add(op.id);
    const standing = laneOf.get(op.id);
    if (standing !== undefined) lanes[standing].delete(op.id);
    else if (!flying.has(op.id) && laneOf.size + parked.size >= MAX_QUEUED) {
      counters.dropped += 1;
      return;
    }
    if (flying.has(op.id)) {
      parked.set(op.id, op);
      return;
    }
    laneOf.set(op.id, op.lane);
    lanes[op.lane].set(op.id, op);
  };

  /** The next step of a re-push; undefined when there is none, or when the phase before is still under way. */
  const nextOfRefill = (): Op | undefined => {
    for (;;) {
      const [phase] = phases;
      if (phase === undefined) return undefined;
      const next = phase.next();
      if (next.done === true) {
        if (flying.size > 0) return undefined;
        phases.shift();
      } else if (!flying.has(next.value.id) && laneOf.get(next.value.id) !== 'delete') {
        return next.value;
      }
    }
  };

  const next = (): Op | undefined => {
    const early = phases.length > 1;
    if (early) return take('delete') ?? take('companion_good') ?? nextOfRefill();
    for (const lane of LANES) {
      const op = take(lane);
      if (op !== undefined) return op;
    }
    return nextOfRefill();
  };

  /** Undefined: not to be written after all. */
  const writeOf = (op: Op): Write | undefined => {
    const { slot } = op;
    if (slot === undefined)
      return { method: 'htable.seti', params: ['companion_meta', 'nets', mirror.tables.companion_net.size] };
    const { table, key, value, until } = slot;
    if (!usable(table)) return undefined;
    if (op.lane === 'delete') return { method: 'htable.delete', params: [table, key] };
    const now = clock.now();
    if (until <= now) return undefined;
    const method = typeof value === 'number' ? 'htable.setxi' : 'htable.setxs';
    return { method, params: [table, key, value, ttlSeconds(until, now)] };
  };

  const settled = (op: Op, error: RpcError | undefined): void => {
    flying.delete(op.id);
    const waiting = parked.get(op.id);
    parked.delete(op.id);
    const gone = op.lane === 'delete' && error?.failure === 'rpc';
    if (error === undefined || gone) {
      if (op.slot !== undefined) op.slot.confirmed = mirror.tick();
      if (op.lane === 'delete') counters.deleted += 1;
      else counters.pushed += 1;
    } else {
      counters.failed += 1;
      const lost = error.failure === 'unreachable' || error.failure === 'timeout';
      if (lost && waiting === undefined) enqueue(op);
      if (lost) onLost(error);
      else onRefused(error);
    }
    if (waiting !== undefined) enqueue(waiting);
  };

  /** Takes what goes next, in one call. */
  const gather = (ops: Op[], writes: Write[]): void => {
    const size = writer.size();
    while (ops.length < size) {
      const op = next();
      if (op === undefined) return;
      const write = writeOf(op);
      if (write === undefined) continue;
      flying.add(op.id);
      ops.push(op);
      writes.push(write);
    }
  };

  const start = async (ops: readonly Op[], writes: readonly Write[]): Promise<void> => {
    const errors = await writer.write(writes);
    for (const [at, op] of ops.entries()) settled(op, errors[at]);
    pump();
  };

  const pump = (): void => {
    while (running && !isGathering && flying.size < writer.window()) {
      const ops: Op[] = [];
      const writes: Write[] = [];
      gather(ops, writes);
      if (ops.length === 0) return;
      void start(ops, writes);
    }
  };

  return {
    counters,
    set(slots) {
      if (slots.some((slot) => slot.table === 'companion_net')) enqueue(NETS_OP);
      for (const slot of slots) enqueue(setOp(slot));
      pump();
    },
    remove(slots) {
      for (const slot of slots) enqueue(deleteOp(slot));
      if (slots.some((slot) => slot.table === 'companion_net')) enqueue(NETS_OP);
      pump();
    },
    together(work) {
      isGathering = true;
      try {
        work();
      } finally {
        isGathering = false;
        pump();
      }
    },
    setNets() {
      enqueue(NETS_OP);
      pump();
    },
    refill() {
      for (const lane of LANES) {
        for (const { id, slot } of lanes[lane].values()) {
          const isStillWanted = slot === undefined || mirror.tables[slot.table].has(slot.key);
          if (lane === 'delete' && !isStillWanted) continue;
          lanes[lane].delete(id);
          laneOf.delete(id);
        }
      }
      phases = phasesOf(mirror);
      pump();
    },
    pause() {
      running = false;
    },
    resume() {
      running = true;
      pump();
    },
    pending: () => laneOf.size + flying.size + parked.size,
    isPending: (table, key) => {
      const id = slotId(table, key);
      return laneOf.has(id) || flying.has(id);
    },
    isRefilling: () => phases.length > 0,
    trackDeletes() {
      deletes = new Set(lanes.delete.keys());
      for (const id of flying) deletes.add(id);
      return deletes;
    },
    untrackDeletes() {
      deletes = undefined;
    },
  };
};
