import { entryKey } from '../../model/index.ts';
import type { Entry } from '../../model/index.ts';
import { keysOf, TABLES } from './keys.ts';
import type { Table } from './keys.ts';

/** Why a key should stand: the ledger line (see entryKey) and its end. Two networks may want the same key. */
interface Claim {
  readonly owner: string;
  readonly value: string | number;
  /** Epoch milliseconds; Infinity: no end. */
  readonly until: number;
  /** Number of the comparison with the ledger that last saw it. */
  round: number;
}

/** One key as it should stand in Kamailio. */
export interface Slot {
  readonly table: Table;
  readonly key: string;
  value: string | number;
  until: number;
  claims: Claim[];
  /** Its end has passed; Kamailio's timer may still hold it for a while. */
  expired: boolean;
  /** Serial number of the last change, and of the last change that Kamailio confirmed (0: none). */
  changed: number;
  confirmed: number;
  /** Number of the walk that last found it in Kamailio. */
  seen: number;
}

export type Caps = Readonly<Record<Table, number>>;

/** 100 k strings are 20 MB of Kamailio's shared memory. */
export const DEFAULT_CAPS: Caps = {
  ipban: 200_000,
  companion_net: 100_000,
  companion_state: 200_000,
  companion_good: 200_000,
};

/** Keys looked at to find one that ends soon, as Redis evicts: the oldest-ending of a sample, not of all. */
const EVICTION_SAMPLE = 16;

export interface MirrorChanges {
  readonly puts: readonly Slot[];
  readonly removals: readonly Slot[];
}

export interface Mirror {
  readonly tables: Readonly<Record<Table, Map<string, Slot>>>;
  /** Expired keys in each table that are still remembered. */
  readonly expired: Record<Table, number>;
  /** New quarantines and throttles are kept back: the server is short of memory. */
  holdState: boolean;
  put(entry: Entry, now: number): MirrorChanges;
  remove(entry: Entry): MirrorChanges;
  /** Drops the claims that a comparison with the ledger has not seen. */
  prune(slot: Slot, round: number): MirrorChanges;
  /** Marks a key as expired, or forgets it after `graceMs`. */
  age(slot: Slot, now: number, graceMs: number): void;
  /** A serial number for what happens next. */
  tick(): number;
  /** A comparison with the whole ledger begins: claims carry its number from now on, what was left out is counted anew. */
  startRound(round: number): void;
  /** Ledger lines that do not fit into tables; keys left out for a cap, or for memory, since the last reset. */
  readonly left: { unpushed: Set<string>; capped: number; held: number };
}

const isSame = (claim: Claim, owner: string, value: string | number, until: number): boolean =>
  claim.until === until && claim.value === value && claim.owner === owner;

/** What Kamailio's tables should hold, key by key. Bounded by caps; knows nothing of connections. */
export const createMirror = (caps: Caps): Mirror => {
  const tables: Record<Table, Map<string, Slot>> = {
    ipban: new Map(),
    companion_net: new Map(),
    companion_state: new Map(),
    companion_good: new Map(),
  };
  const expired: Record<Table, number> = { ipban: 0, companion_net: 0, companion_state: 0, companion_good: 0 };
  const cursors = new Map<Table, Iterator<Slot>>();
  const left = { unpushed: new Set<string>(), capped: 0, held: 0 };
  let serial = 0;
  let round = 0;

  const forget = (slot: Slot): void => {
    if (!tables[slot.table].delete(slot.key)) return;
    if (slot.expired) expired[slot.table] -= 1;
    slot.changed = ++serial;
  };

  /** The longest claim decides value and end. */
  const settle = (slot: Slot): boolean => {
    const longest = slot.claims.reduce((best, claim) => (claim.until > best.until ? claim : best));
    if (slot.value === longest.value && slot.until === longest.until && slot.changed > 0) return false;
    slot.value = longest.value;
    slot.until = longest.until;
    if (slot.expired) expired[slot.table] -= 1;
    slot.expired = false;
    slot.changed = ++serial;
    return true;
  };

  const endsSoonest = (table: Table): Slot | undefined => {
    let best: Slot | undefined;
    for (let looked = 0; looked < EVICTION_SAMPLE; looked += 1) {
      let next = cursors.get(table)?.next();
      if (next === undefined || next.done === true) {
        const cursor = tables[table].values();
        cursors.set(table, cursor);
        next = cursor.next();
      }
      if (next.done === true) return best;
      if (best === undefined || next.value.until < best.until) best = next.value;
    }
    return best;
  };

  /** Makes room for a key that ends at `until`. Lists are never evicted: half a list would be worse than none. */
  const makeRoom = (table: Table, until: number, removals: Slot[]): boolean => {
    if (tables[table].size < caps[table]) return true;
    left.capped += 1;
    const victim = table === 'companion_net' ? undefined : endsSoonest(table);
    if (victim === undefined || victim.until >= until) return false;
    forget(victim);
    removals.push(victim);
    return true;
  };

  const dropClaims = (slot: Slot, keep: (claim: Claim) => boolean): MirrorChanges => {
    const claims = slot.claims.filter(keep);
    if (claims.length === slot.claims.length) return { puts: [], removals: [] };
    if (claims.length === 0) {
      forget(slot);
      return { puts: [], removals: [slot] };
    }
    slot.claims = claims;
    return { puts: settle(slot) ? [slot] : [], removals: [] };
  };

  return {
    tables,
    expired,
    holdState: false,
    left,
    put(entry, now) {
      const until = entry.until ?? Infinity;
      if (until <= now) return { puts: [], removals: [] };
      const owner = entryKey(entry);
      const keys = keysOf(entry);
      if (keys === undefined) left.unpushed.add(owner);
      const puts: Slot[] = [];
      const removals: Slot[] = [];
      for (const { table, key, value } of keys ?? []) {
        let slot = tables[table].get(key);
        if (slot === undefined) {
          if (this.holdState && table === 'companion_state') {
            left.held += 1;
            continue;
          }
          if (!makeRoom(table, until, removals)) continue;
          slot = { table, key, value, until, claims: [], expired: false, changed: 0, confirmed: 0, seen: 0 };
          tables[table].set(key, slot);
        }
        const [standing] = slot.claims;
        if (standing !== undefined && slot.claims.length === 1 && isSame(standing, owner, value, until)) {
          standing.round = round;
          if (!slot.expired) continue;
        }
        slot.claims = [
          ...slot.claims.filter((claim) => claim.owner !== owner && claim.until > now),
          { owner, value, until, round },
        ];
        if (settle(slot)) puts.push(slot);
      }
      return { puts, removals };
    },
    remove(entry) {
      const owner = entryKey(entry);
      left.unpushed.delete(owner);
      const puts: Slot[] = [];
      const removals: Slot[] = [];
      for (const { table, key } of keysOf(entry) ?? []) {
        const slot = tables[table].get(key);
        if (slot === undefined) continue;
        const changes = dropClaims(slot, (claim) => claim.owner !== owner);
        puts.push(...changes.puts);
        removals.push(...changes.removals);
      }
      return { puts, removals };
    },
    prune: (slot, current) => dropClaims(slot, (claim) => claim.round >= current),
    age(slot, now, graceMs) {
      if (!slot.expired && slot.until <= now) {
        slot.expired = true;
        expired[slot.table] += 1;
      }
      if (slot.until + graceMs <= now) forget(slot);
    },
    tick: () => ++serial,
    startRound(current) {
      round = current;
      left.unpushed.clear();
      left.capped = 0;
      left.held = 0;
    },
  };
};

export const everySlot = function* (mirror: Mirror): Generator<Slot> {
  for (const table of TABLES) yield* mirror.tables[table].values();
};
