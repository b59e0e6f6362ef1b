import type { Change, EpochMs, ListEntry } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';

const AUTHOR = 'configuration';

interface Wanted {
  readonly subject: string;
  readonly note: string;
}

/**
 * Makes the entries that the configuration put on the lists the ones that it names now. Entries of operators stay, also
 * where the configuration names the same.
 */
export const applyConfiguredLists = (
  ledger: Judge['ledger'],
  wanted: Readonly<Record<'allow' | 'deny', readonly Wanted[]>>,
  at: EpochMs,
): Change[] => {
  const changes: Change[] = [];
  for (const kind of ['allow', 'deny'] as const) {
    const named = new Map(wanted[kind].map((entry) => [entry.subject, entry]));
    for (const entry of [...ledger.entries(kind)] as ListEntry[]) {
      if (entry.author === AUTHOR && !named.has(entry.subject))
        changes.push(...ledger.remove(`${kind} ${entry.subject}`, 'superseded'));
    }
    for (const { subject, note } of named.values()) {
      const known = ledger.get(`${kind} ${subject}`) as ListEntry | undefined;
      if (known !== undefined && (known.author !== AUTHOR || known.note === note) && known.until === null) continue;
      const reason = note === '' ? `${kind} list` : note;
      changes.push(
        ...ledger.put({ kind, subject, note, author: AUTHOR, origin: 'operator', reason, since: at, until: null }),
      );
    }
  }
  return changes;
};
