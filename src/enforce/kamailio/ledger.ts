import { setImmediate as breathe } from 'node:timers/promises';
import { entryKey } from '../../model/index.ts';
import type { Clock, Entry } from '../../model/index.ts';
import { everySlot } from './mirror.ts';
import type { Mirror, MirrorChanges } from './mirror.ts';

/** Entries compared before the event loop gets a turn: about a millisecond. */
const SLICE = 1_000;

export interface LedgerReader {
  /** Brings the mirror to what the ledger says now, in slices. */
  read(): Promise<void>;
  /** An entry changes by itself while the ledger is being read: what the reading says of it is old. */
  touch(entry: Entry): void;
}

/** The ledger is told in changes; this compares the whole of it, so that nothing that went astray stays astray. */
export const createLedgerReader = (
  desired: () => Iterable<Entry>,
  mirror: Mirror,
  clock: Clock,
  send: (changes: MirrorChanges) => void,
): LedgerReader => {
  let touched: Set<string> | undefined;
  let round = 0;
  return {
    touch(entry) {
      touched?.add(entryKey(entry));
    },
    async read() {
      const changed = (touched = new Set<string>());
      mirror.startRound(++round);
      let looked = 0;
      try {
        for (const entry of desired()) {
          if (!changed.has(entryKey(entry))) send(mirror.put(entry, clock.now()));
          if (++looked % SLICE === 0) await breathe();
        }
        for (const slot of everySlot(mirror)) {
          send(mirror.prune(slot, round));
          if (++looked % SLICE === 0) await breathe();
        }
      } finally {
        touched = undefined;
      }
    },
  };
};
