import { setImmediate as breathe } from 'node:timers/promises';
import type { Clock } from '../../model/index.ts';
import { dumpTable } from './door/dump.ts';
import type { DumpedKey } from './door/dump.ts';
import { readKey } from './door/probe.ts';
import type { KamailioRpc } from './door/rpc.ts';
import { createForeignKeys, mayTakeForeign } from './foreign.ts';
import type { ForeignKey } from './foreign.ts';
import { OWN_BAN } from './keys.ts';
import type { Table } from './keys.ts';
import type { Mirror, Slot } from './mirror.ts';
import { slotId } from './outbox.ts';
import type { Outbox } from './outbox.ts';

/** Keys looked at before the event loop gets a turn: about a millisecond. */
const SLICE = 2_000;
const CHECKS_AT_ONCE = 16;
/** Keys that end within this time are not worth a question (ms). */
const NEARLY_OVER_MS = 1_000;

export interface WalkerOptions {
  readonly rpc: KamailioRpc;
  readonly mirror: Mirror;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly usable: (table: Table) => boolean;
  readonly onForeign: (found: readonly ForeignKey[]) => void;
  readonly onForeignGone: (keys: readonly string[]) => void;
}

/** Both return the number of entries found missing, stray or wrong, and hand the repair to the outbox. */
export interface Walker {
  /** Compares a whole table with the mirror. @throws RpcError when Kamailio cannot or will not dump it */
  whole(table: Table): Promise<number>;
  /** Asks for keys one by one; cannot find strays. @throws RpcError */
  some(next: () => Slot | undefined, limit: number): Promise<number>;
  /** Asks for foreign keys one by one, in turn, and tells which are gone. @throws RpcError */
  someForeign(limit: number): Promise<void>;
  /** Foreign keys of this subject, for deletion: an operator lifts that ban. They are forgotten, and reported anew if they return. */
  disown(subject: string): readonly Slot[];
  /** Foreign keys in `ipban` as last seen. */
  readonly foreign: ReadonlyMap<string, string>;
  readonly counters: { walks: number; missing: number; strays: number };
}

/** A key of ours that nobody wants any more, in the shape that the outbox deletes. */
const strayOf = (table: Table, { key, value }: DumpedKey): Slot => ({
  table,
  key,
  value,
  until: 0,
  claims: [],
  expired: true,
  changed: 0,
  confirmed: 0,
  seen: 0,
});

/** Finds what Kamailio holds too much or too little. Never takes away a foreign ban. */
export const createWalker = ({ rpc, mirror, outbox, clock, usable, ...told }: WalkerOptions): Walker => {
  const foreign = createForeignKeys({ rpc, clock, ...told });
  const counters = { walks: 0, missing: 0, strays: 0 };

  /** Nothing was written or confirmed after `serial`: what Kamailio showed is what it should be judged by. */
  const isSettled = (slot: Slot, serial: number): boolean =>
    slot.changed <= serial && slot.confirmed <= serial && !outbox.isPending(slot.table, slot.key);

  const mend = (slots: readonly Slot[]): number => {
    const live = slots.filter((slot) => !slot.expired && slot.until > clock.now());
    outbox.set(live);
    counters.missing += live.length;
    return live.length;
  };

  /** Those of the table that the walk has not seen. */
  const mendUnseen = async (table: Table, walk: number, serial: number): Promise<number> => {
    let drift = 0;
    let unseen: Slot[] = [];
    let looked = 0;
    for (const slot of mirror.tables[table].values()) {
      if (slot.seen !== walk && isSettled(slot, serial)) unseen.push(slot);
      if (++looked % SLICE !== 0) continue;
      drift += mend(unseen);
      unseen = [];
      await breathe();
    }
    return drift + mend(unseen);
  };

  return {
    foreign: foreign.known,
    counters,
    someForeign: (limit) => foreign.check(limit),
    disown: (subject) => foreign.disown(subject).map((gone) => strayOf('ipban', gone)),
    async whole(table) {
      const walk = ++counters.walks;
      const serial = mirror.tick();
      const deleted = outbox.trackDeletes();
      const seenForeign = new Map<string, string>();
      let drift = 0;
      try {
        for await (const keys of dumpTable(rpc, table)) {
          const wrong: Slot[] = [];
          const strays: Slot[] = [];
          for (const dumped of keys) {
            const slot = mirror.tables[table].get(dumped.key);
            if (slot !== undefined) {
              slot.seen = walk;
              if (slot.value !== dumped.value && isSettled(slot, serial)) wrong.push(slot);
            } else if (table === 'ipban' && !String(dumped.value).startsWith(OWN_BAN)) {
              if (deleted.has(slotId(table, dumped.key))) continue;
              if (mayTakeForeign(seenForeign)) seenForeign.set(dumped.key, String(dumped.value));
            } else if (!deleted.has(slotId(table, dumped.key))) {
              strays.push(strayOf(table, dumped));
            }
          }
          counters.strays += strays.length;
          drift += mend(wrong) + strays.length;
          outbox.remove(strays);
        }
      } finally {
        outbox.untrackDeletes();
      }
      if (table === 'ipban') foreign.adopt(seenForeign);
      return drift + (await mendUnseen(table, walk, serial));
    },
    async some(next, limit) {
      let left = limit;
      let drift = 0;
      const worker = async (): Promise<void> => {
        for (let slot = next(); slot !== undefined && left-- > 0; slot = next()) {
          if (slot.expired || slot.until <= clock.now() + NEARLY_OVER_MS || !usable(slot.table)) continue;
          const serial = mirror.tick();
          const held = await readKey(rpc, slot.table, slot.key);
          const isCurrent = mirror.tables[slot.table].get(slot.key) === slot && isSettled(slot, serial);
          if (isCurrent && held?.value !== slot.value) drift += mend([slot]);
        }
      };
      await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, worker));
      return drift;
    },
  };
};
