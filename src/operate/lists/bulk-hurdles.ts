import { setImmediate } from 'node:timers/promises';
import { parseCidr, subjectOf } from '../../model/index.ts';
import type { Entry, GoodEntry, ImportRow, ListEntry } from '../../model/index.ts';
import { PrefixMap } from '../../enrich/index.ts';
import type { Judge } from '../../decide/index.ts';
import type { AddressLists } from './address-lists.ts';

/** Entries looked at between two looks at the event loop. */
const AT_ONCE = 5_000;

interface Hit {
  readonly goods: GoodEntry[];
  readonly allows: ListEntry[];
}

/** Registered phones and allow entries that overlap each row. */
export interface Hits {
  of(subject: string): Hit;
}

const subjectOrNone = (text: string): string | undefined => {
  try {
    return subjectOf(text);
  } catch {
    return undefined; // told by whoever takes the row
  }
};

/**
 * Who would be hit by the rows. All rows are laid into one map, so that phones and lists are walked once for all of
 * them: five hundred networks against a hundred thousand phones would else take seconds.
 */
export const whoIsHit = async (
  rows: readonly ImportRow[],
  ledger: Judge['ledger'],
  lists: AddressLists,
): Promise<Hits> => {
  const bySubject = new Map<string, Hit>();
  const networks = new PrefixMap<Hit & { readonly prefix: number }>();
  let wide = false;
  for (const row of rows) {
    const subject = subjectOrNone(row.subject);
    if (subject === undefined || bySubject.has(subject)) continue;
    const cidr = parseCidr(subject);
    const allows = lists
      .covering(cidr.network)
      .filter((entry) => entry.kind === 'allow' && parseCidr(entry.subject).prefix <= cidr.prefix);
    const single = cidr.prefix === (cidr.family === 4 ? 32 : 64);
    const hit = { goods: single ? [...ledger.goodOf(subject)] : [], allows, prefix: cidr.prefix };
    bySubject.set(subject, hit);
    if (cidr.family === 4 && single) continue;
    networks.set(cidr, hit);
    wide ||= !single;
  }
  const walk = async (entries: Iterable<Entry>, see: (entry: Entry) => void): Promise<void> => {
    let seen = 0;
    for (const entry of entries) {
      see(entry);
      seen += 1;
      if (seen % AT_ONCE === 0) await setImmediate();
    }
  };
  if (wide) {
    await walk([...ledger.entries('good')], (entry) => {
      if (entry.kind !== 'good') return;
      for (const hit of networks.covering(entry.ip)) if (!hit.goods.includes(entry)) hit.goods.push(entry);
    });
  }
  if (networks.size > 0) {
    await walk([...ledger.entries('allow')], (entry) => {
      if (entry.kind !== 'allow') return;
      const { network, prefix } = parseCidr(entry.subject);
      for (const hit of networks.covering(network)) {
        if (hit.prefix <= prefix && !hit.allows.includes(entry)) hit.allows.push(entry);
      }
    });
  }
  return { of: (subject) => bySubject.get(subject) ?? { goods: [], allows: [] } };
};
