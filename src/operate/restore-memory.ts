import type { Change, EpochMs, Records } from '../model/index.ts';
import type { Judge } from '../decide/index.ts';
import type { AddressLists } from './lists/address-lists.ts';
import { applyConfiguredLists } from './lists/configured-lists.ts';

export interface Memory {
  readonly remembered: Awaited<ReturnType<Records['load']>>;
  readonly judge: Judge;
  readonly lists: AddressLists;
  readonly configured: Parameters<typeof applyConfiguredLists>[1];
  readonly at: EpochMs;
}

/** What was known before the restart, and the lists of the configuration, before anybody asks. */
export const restoreMemory = ({ remembered, judge, lists, configured, at }: Memory): void => {
  const restore = (changes: readonly Change[]): void => {
    for (const change of changes) lists.apply(change);
  };
  for (const rung of remembered.ladder) judge.ladder.restore(rung);
  // what others put into a server's table is found there again, if it still stands
  for (const entry of remembered.entries) if (entry.origin !== 'foreign') restore(judge.ledger.put(entry));
  restore(applyConfiguredLists(judge.ledger, configured, at));
};
