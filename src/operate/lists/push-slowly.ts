import { setImmediate } from 'node:timers/promises';
import { entryKey } from '../../model/index.ts';
import type { Change, Clock, Entry, ListEntry } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import type { NetworkTable } from '../../enrich/index.ts';
import type { Cause, Effects } from '../effects.ts';
import type { AddressLists } from './address-lists.ts';
import { applyAuthored } from './authored.ts';
import type { WantedEntry } from './authored.ts';

/** Entries changed between two looks at the event loop: a verdict must not wait for more. */
const AT_ONCE = 100;
const LOOKED_AT_ONCE = 5_000;

type Ledger = Judge['ledger'];

/** Many changes of the ledger, carried on in pieces. What somebody else has changed again meanwhile is left out. */
const pushSlowly = async (
  ledger: Ledger,
  effects: Effects,
  changes: readonly Change[],
  cause: Cause,
): Promise<void> => {
  const stands = ({ op, entry }: Change): boolean =>
    op === 'put' ? ledger.get(entryKey(entry)) === entry : ledger.get(entryKey(entry)) === undefined;
  for (let start = 0; start < changes.length; start += AT_ONCE) {
    if (start > 0) await setImmediate();
    effects.push(changes.slice(start, start + AT_ONCE).filter(stands), cause);
  }
};

/** Phones that a deny list shuts out lose the privilege that would let them pass. */
const revokeDenied = async (ledger: Ledger, lists: AddressLists): Promise<Change[]> => {
  const changes: Change[] = [];
  const goods: readonly Entry[] = [...ledger.entries('good')];
  for (const [index, entry] of goods.entries()) {
    if (index > 0 && index % LOOKED_AT_ONCE === 0) await setImmediate();
    if (entry.kind === 'good' && lists.verdict(entry.ip) === 'deny')
      changes.push(...ledger.remove(`good ${entry.ip} ${entry.port} ${entry.user}`, 'revoked'));
  }
  return changes;
};

export interface AuthoredParts {
  readonly ledger: Ledger;
  readonly lists: AddressLists;
  readonly effects: Effects;
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
}

/** List entries that files and names stand for: changed one author after the other, and never in one long stop. */
export const createAuthoredLists = ({ ledger, lists, effects, clock, onBug }: AuthoredParts) => {
  const cause = { by: 'companion', node: '' } as const;
  let last: Promise<void> = Promise.resolve();
  return {
    apply(
      list: 'allow' | 'deny',
      author: string,
      wanted: ReadonlyMap<string, WantedEntry>,
      graceMs?: number,
    ): Promise<void> {
      last = last
        .then(async () => {
          const changes = applyAuthored(ledger, { list, author, at: clock.now(), graceMs }, wanted);
          await pushSlowly(ledger, effects, changes, cause);
          if (list === 'deny' && changes.some(({ op }) => op === 'put'))
            await pushSlowly(ledger, effects, await revokeDenied(ledger, lists), cause);
        })
        .catch(onBug);
      return last;
    },
    /** A deny list that is too long for entries: its table from now on; undefined: none any more. */
    denyTable(author: string, table: NetworkTable | undefined, note: string): Promise<void> {
      last = last
        .then(async () => {
          if (table === undefined) {
            lists.dropTable(author);
            return;
          }
          lists.putTable({ author, table, note, since: clock.now() });
          await pushSlowly(ledger, effects, await revokeDenied(ledger, lists), cause);
        })
        .catch(onBug);
      return last;
    },
    /** Who has entries on the lists. */
    authors(): { readonly list: 'allow' | 'deny'; readonly author: string }[] {
      const seen = new Map<string, { readonly list: 'allow' | 'deny'; readonly author: string }>();
      for (const entry of ledger.entries('allow', 'deny')) {
        const { kind: list, author } = entry as ListEntry;
        seen.set(`${list} ${author}`, { list, author });
      }
      return [...seen.values()];
    },
  };
};
