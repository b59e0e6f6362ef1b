import { setImmediate } from 'node:timers/promises';
import { CompanionError, entryKey, isHostName, parseCidr, subjectOf } from '../../model/index.ts';
import type {
  BanEntry,
  Change,
  Clock,
  ImportProblem,
  ImportReport,
  ImportRequest,
  ImportRow,
  ListEntry,
  Operations,
} from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import { banHurdles } from './ban-hurdles.ts';
import { whoIsHit } from './bulk-hurdles.ts';
import { addName, refuseName } from './names-by-hand.ts';
import type { NamesByHand } from './names-by-hand.ts';
import type { AddressLists } from './address-lists.ts';
import type { Effects } from '../effects.ts';
import { HELD_KINDS, listSubject } from '../rows.ts';

/** Entries changed between two looks at the event loop: a verdict must not wait for more. */
const AT_ONCE = 100;
const MAX_NOTE_CHARS = 200;

export interface BulkParts {
  readonly judge: Judge;
  readonly lists: AddressLists;
  readonly effects: Effects;
  readonly clock: Clock;
  readonly banTimeMs: () => number;
  readonly ownAddresses: () => readonly string[];
  readonly names: NamesByHand;
  /** Phones that are shut out lose the privilege that would let them pass. */
  readonly revoke: (goods: readonly { ip: string; port: number; user: string }[]) => Change[];
}

/** The row's own end, else the one that the command gave, else the usual. */
const endOf = (row: ImportRow, request: ImportRequest, now: number, usual: number | null): number | null => {
  if (row.until !== undefined && row.until !== null) return row.until;
  const durationMs = request.durationMs === undefined ? usual : request.durationMs;
  return row.until === null || durationMs === null ? null : now + durationMs;
};

const stands = (entry: { readonly until: number | null } | undefined, until: number | null): boolean =>
  entry !== undefined && (entry.until === null || (until !== null && entry.until >= until));

const problemOf = (row: number, subject: string, error: unknown): ImportProblem => {
  if (!(error instanceof CompanionError)) throw error;
  return { row, subject, code: error.code, message: error.message };
};

/** What changes many entries at a time, with pauses in between. */
export const createBulk = (parts: BulkParts): Pick<Operations, 'banClear' | 'banImport' | 'listImport'> => {
  const { judge, lists, effects, clock } = parts;
  const { ledger } = judge;

  /** Takes the rows one by one; `take` puts a good one and says what became of it. */
  const each = async (
    request: ImportRequest,
    usual: number | null,
    take: (row: ImportRow, until: number | null, now: number) => 'added' | 'same',
  ): Promise<ImportReport> => {
    const report = { added: 0, same: 0, ended: 0 };
    const problems: ImportProblem[] = [];
    for (const [index, row] of request.rows.entries()) {
      if (index > 0 && index % AT_ONCE === 0) await setImmediate();
      const now = clock.now();
      const until = endOf(row, request, now, usual);
      try {
        if (!isHostName(row.subject)) parseCidr(row.subject);
        if (until !== null && until <= now) report.ended += 1;
        else report[take(row, until, now)] += 1;
      } catch (error) {
        problems.push(problemOf(index, row.subject, error));
      }
    }
    return { ...report, problems };
  };

  /** Names of an export come back as names. */
  const takeName = (
    list: 'allow' | 'deny',
    { subject, note = '' }: ImportRow,
    until: number | null,
    { author, dryRun }: ImportRequest,
  ): 'added' | 'same' => {
    const cut = note.slice(0, MAX_NOTE_CHARS);
    const known = parts.names.rows().find(({ name }) => name === subject.toLowerCase().replace(/\.$/, ''));
    if (list === 'allow' && known?.note === cut && until === null) return 'same';
    const wanted = { list, subject, note: cut, author, durationMs: until === null ? null : 1 };
    if (dryRun === true) refuseName(wanted);
    else addName(parts.names, wanted);
    return 'added';
  };

  return {
    async banClear(author) {
      const keys = [...ledger.entries(...HELD_KINDS)].map(entryKey);
      let removed = 0;
      for (let start = 0; start < keys.length; start += AT_ONCE) {
        if (start > 0) await setImmediate();
        const changes = keys.slice(start, start + AT_ONCE).flatMap((key) => ledger.remove(key, 'operator'));
        for (const { entry } of changes) if (entry.kind === 'ban') judge.forgive(entry.subject, clock.now());
        const told = changes.map((change): Change => ({ ...change, entry: { ...change.entry, origin: 'operator' } }));
        effects.push(told, { by: 'operator', author });
        removed += changes.length;
      }
      return { removed };
    },

    async banImport(request) {
      const hits = await whoIsHit(request.rows, ledger, lists);
      return each(request, parts.banTimeMs(), (row, until, now) => {
        const subject = subjectOf(row.subject);
        if (stands(ledger.ban(subject), until)) return 'same';
        const { goods, allows } = hits.of(subject);
        const hurdles = banHurdles(subject, goods, allows, parts.ownAddresses());
        if (hurdles.length > 0 && request.force !== true)
          throw new CompanionError('BAN_REFUSED', `Not banning ${subject}: it would hit ${hurdles.join('; ')}.`);
        if (request.dryRun === true) return 'added';
        const entry: BanEntry = {
          kind: 'ban',
          subject,
          level: 0,
          rules: [],
          evidence: [],
          origin: 'operator',
          reason: row.note?.slice(0, MAX_NOTE_CHARS) || 'imported',
          since: now,
          until,
        };
        effects.push([...parts.revoke(goods), ...ledger.put(entry)], { by: 'operator', author: request.author });
        return 'added';
      });
    },

    listImport: async (list, request) => {
      const hits = list === 'deny' ? await whoIsHit(request.rows, ledger, lists) : undefined;
      return each(request, null, (row, until, now) => {
        if (isHostName(row.subject)) return takeName(list, row, until, request);
        const subject = listSubject(row.subject);
        const note = row.note?.slice(0, MAX_NOTE_CHARS) ?? '';
        const known = ledger.get(`${list} ${subject}`);
        if (stands(known, until) && (known as ListEntry).note === note) return 'same';
        if (request.dryRun === true) return 'added';
        const entry: ListEntry = {
          kind: list,
          subject,
          note,
          author: request.author,
          origin: 'operator',
          reason: note === '' ? `${list} list` : note,
          since: now,
          until,
        };
        const revoked = hits === undefined ? [] : parts.revoke(hits.of(subjectOf(row.subject)).goods);
        effects.push([...revoked, ...ledger.put(entry)], { by: 'operator', author: request.author });
        return 'added';
      });
    },
  };
};
