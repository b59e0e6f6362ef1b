import type { Change, EpochMs, ListEntry } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';

/** An entry as somebody wants it to stand. */
export interface WantedEntry {
  readonly subject: string;
  readonly note: string;
  readonly peer?: string | undefined;
  readonly checked?: boolean | undefined;
}

export interface Authored {
  readonly list: 'allow' | 'deny';
  /** Who wants it: `configuration`, `file:…`, `name:…`. */
  readonly author: string;
  readonly at: EpochMs;
  /** What is not wanted any more stays for this long: a name may lead back there. Left out: it goes at once. */
  readonly graceMs?: number | undefined;
}

const isSame = (known: ListEntry, wanted: WantedEntry): boolean =>
  known.until === null &&
  known.note === wanted.note &&
  known.peer === wanted.peer &&
  (known.checked ?? false) === (wanted.checked ?? false);

/**
 * Makes the entries of one author the wanted ones. Lasting entries of others (an operator's above all) stay, also where
 * the same address is wanted here.
 */
export const applyAuthored = (
  ledger: Judge['ledger'],
  { list, author, at, graceMs }: Authored,
  wanted: ReadonlyMap<string, WantedEntry>,
): Change[] => {
  const changes: Change[] = [];
  for (const entry of [...ledger.entries(list)] as ListEntry[]) {
    if (entry.author !== author || wanted.has(entry.subject)) continue;
    if (graceMs === undefined) changes.push(...ledger.remove(`${list} ${entry.subject}`, 'superseded'));
    else if (entry.until === null) changes.push(...ledger.put({ ...entry, until: at + graceMs }));
  }
  for (const one of wanted.values()) {
    const { subject, note, peer, checked } = one;
    const known = ledger.get(`${list} ${subject}`) as ListEntry | undefined;
    if (known !== undefined && known.until === null && (known.author !== author || isSame(known, one))) continue;
    const reason = peer === undefined ? note || `${list} list` : `peer ${peer}`;
    changes.push(
      ...ledger.put({
        kind: list,
        subject,
        note,
        author,
        ...(peer === undefined ? {} : { peer }),
        ...(checked === true ? { checked } : {}),
        origin: 'operator',
        reason,
        since: at,
        until: null,
      }),
    );
  }
  return changes;
};
