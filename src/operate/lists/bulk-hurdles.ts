import { setImmediate } from 'node:timers/promises';
import { formatCidr, parseCidr, subjectOf } from '../../model/index.ts';
import type { Cidr, Entry, GoodEntry, ListEntry } from '../../model/index.ts';
import { PrefixMap } from '../../enrich/index.ts';
import type { Judge } from '../../decide/index.ts';
import type { AddressLists } from './address-lists.ts';

/** Entries looked at between two looks at the event loop. */
const AT_ONCE = 5_000;
/** Rows, likewise. */
const ROWS_AT_ONCE = 200;

interface Hit {
  readonly goods: GoodEntry[];
  readonly allows: ListEntry[];
}

/** Registered phones and allow entries that overlap each row. */
export interface Hits {
  of(subject: string): Hit;
}

/** The subject of a row, read once: a million of them are read. */
export interface Addressed {
  /** As bans and looks name it. */
  readonly subject: string;
  readonly cidr: Cidr;
}

/** @throws CompanionError ADDRESS_INVALID */
export const addressedOf = (text: string): Addressed => {
  const cidr = parseCidr(text);
  if (cidr.family === 4) return { subject: cidr.prefix === 32 ? cidr.network : formatCidr(cidr), cidr };
  const subject = subjectOf(text);
  return { subject, cidr: cidr.prefix > 64 ? parseCidr(subject) : cidr };
};

/**
 * Who would be hit by the rows. All rows are laid into one map, so that phones and lists are walked once for all of
 * them: five hundred networks against a hundred thousand phones would else take seconds.
 */
export const whoIsHit = async (
  rows: readonly Addressed[],
  ledger: Judge['ledger'],
  lists: AddressLists,
): Promise<Hits> => {
  const bySubject = new Map<string, Hit>();
  const networks = new PrefixMap<Hit & { readonly prefix: number }>();
  const hasAllows = ledger.count('allow') > 0;
  let wide = false;
  for (const [index, { subject, cidr }] of rows.entries()) {
    if (index > 0 && index % ROWS_AT_ONCE === 0) await setImmediate();
    if (bySubject.has(subject)) continue;
    const allows = hasAllows
      ? lists
          .covering(cidr.network)
          .filter((entry) => entry.kind === 'allow' && parseCidr(entry.subject).prefix <= cidr.prefix)
      : [];
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
