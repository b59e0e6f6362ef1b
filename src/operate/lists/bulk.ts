import { setImmediate } from 'node:timers/promises';
import { CompanionError, entryKey, formatCidr, isHostName } from '../../model/index.ts';
import type {
  Change,
  Clock,
  ImportProblem,
  ImportReport,
  ImportRequest,
  ImportRow,
  ListEntry,
  Operations,
  Records,
} from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import { banHurdles } from './ban-hurdles.ts';
import { addressedOf, whoIsHit } from './bulk-hurdles.ts';
import type { Addressed } from './bulk-hurdles.ts';
import { banByHand, listedByHand } from './by-hand.ts';
import { addName, refuseName } from './names-by-hand.ts';
import type { NamesByHand } from './names-by-hand.ts';
import type { AddressLists } from './address-lists.ts';
import type { Effects } from '../effects.ts';
import { HELD_KINDS } from '../rows.ts';

/** Entries changed between two looks at the event loop: a verdict must not wait for more. */
const AT_ONCE = 100;
const MAX_NOTE_CHARS = 200;
/** So few rows are told one by one, as if they had been added by hand. */
const FEW_ROWS = 20;

export interface BulkParts {
  readonly judge: Judge;
  readonly lists: AddressLists;
  readonly effects: Effects;
  readonly records: Pick<Records, 'audit'>;
  readonly clock: Clock;
  readonly banTimeMs: () => number;
  readonly ownAddresses: () => readonly string[];
  readonly names: NamesByHand;
  /** Phones that are shut out lose the privilege that would let them pass. */
  readonly revoke: (goods: readonly { ip: string; port: number; user: string }[]) => Change[];
}

/** A row that can be taken. */
interface Good extends Addressed {
  readonly index: number;
  readonly row: ImportRow;
  readonly until: number | null;
  readonly note: string;
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

  /**
   * Reads the rows, then takes them one by one; `take` says what a good one changes, undefined when it stands already.
   * What changes is carried on in slices: for each server one push, and one line of audit for all of a long import.
   */
  const each = async (
    list: 'ban' | 'allow' | 'deny',
    request: ImportRequest,
    usual: number | null,
    prepare: (rows: readonly Addressed[]) => Promise<(row: Good) => readonly Change[] | undefined>,
  ): Promise<ImportReport> => {
    const report = { added: 0, same: 0, ended: 0 };
    const problems: ImportProblem[] = [];
    const good: Good[] = [];
    const note = (index: number, row: ImportRow, error: unknown): void =>
      void problems.push(problemOf(index, row.subject, error));
    for (const [index, row] of request.rows.entries()) {
      if (index > 0 && index % AT_ONCE === 0) await setImmediate();
      const now = clock.now();
      const until = endOf(row, request, now, usual);
      try {
        const isEnded = until !== null && until <= now;
        // a name is no address to ban
        if (list !== 'ban' && isHostName(row.subject)) {
          if (isEnded) report.ended += 1;
          else report[takeName(list, row, until, request)] += 1;
          continue;
        }
        const addressed = addressedOf(row.subject);
        if (isEnded) report.ended += 1;
        else good.push({ ...addressed, index, row, until, note: row.note?.slice(0, MAX_NOTE_CHARS) ?? '' });
      } catch (error) {
        note(index, row, error);
      }
    }
    const take = await prepare(good);
    const bulk = good.length > FEW_ROWS;
    const cause = { by: 'operator', author: request.author, bulk } as const;
    let added = 0;
    for (let start = 0; start < good.length; start += AT_ONCE) {
      if (start > 0) await setImmediate();
      const changes: Change[] = [];
      for (const one of good.slice(start, start + AT_ONCE)) {
        try {
          const made = take(one);
          if (made === undefined) report.same += 1;
          else {
            added += 1;
            changes.push(...made);
          }
        } catch (error) {
          note(one.index, one.row, error);
        }
      }
      effects.push(changes, cause);
    }
    report.added += added;
    if (bulk && added > 0 && request.dryRun !== true)
      parts.records.audit({
        at: clock.now(),
        actor: request.author,
        action: `${list}.import`,
        subject: good[0]?.subject ?? '',
        detail: `${added} of ${good.length} rows, to ${good.at(-1)?.subject ?? ''}`,
      });
    problems.sort((a, b) => a.row - b.row);
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

    banImport: (request) =>
      each('ban', request, parts.banTimeMs(), async (rows) => {
        const hits = await whoIsHit(rows, ledger, lists);
        const own = parts.ownAddresses();
        return ({ subject, until, note }) => {
          if (stands(ledger.ban(subject), until)) return undefined;
          const { goods, allows } = hits.of(subject);
          const hurdles = banHurdles(subject, goods, allows, own);
          if (hurdles.length > 0 && request.force !== true)
            throw new CompanionError('BAN_REFUSED', `Not banning ${subject}: it would hit ${hurdles.join('; ')}.`);
          if (request.dryRun === true) return [];
          const entry = banByHand({ subject, reason: note || 'imported', until }, clock.now());
          return [...parts.revoke(goods), ...ledger.put(entry)];
        };
      }),

    listImport: (list, request) =>
      each(list, request, null, async (rows) => {
        const hits = list === 'deny' ? await whoIsHit(rows, ledger, lists) : undefined;
        return ({ subject: address, cidr, until, note }) => {
          const subject = formatCidr(cidr);
          const known = ledger.get(`${list} ${subject}`);
          if (stands(known, until) && (known as ListEntry).note === note) return undefined;
          const goods = hits?.of(address).goods ?? [];
          // as one by one: allow entries are no hurdle, they win over deny
          const hurdles = banHurdles(address, goods, [], []);
          if (hurdles.length > 0 && request.force !== true)
            throw new CompanionError('BAN_REFUSED', `Not denying ${subject}: it would hit ${hurdles.join('; ')}.`);
          if (request.dryRun === true) return [];
          const entry = listedByHand({ kind: list, subject, note, author: request.author, until }, clock.now());
          return [...parts.revoke(goods), ...ledger.put(entry)];
        };
      }),
  };
};
