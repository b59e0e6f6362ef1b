import type { Database } from 'better-sqlite3';
import type { AuditLine, BanEntry, EpochMs } from '../../model/index.ts';
import type { LadderColumns, Page } from '../messages.ts';
import { packTexts } from '../texts.ts';
import { fromBanRow, plainText, type BanRow } from './rows.ts';
import { isWritten } from './written-evidence.ts';

/** More than anybody reads, less than hurts to send across. */
const MAX_ROWS = 10_000;

const atMost = (limit: number): number => Math.min(MAX_ROWS, Math.max(0, Math.floor(limit) || 0));

/** Entries in one page: some ten milliseconds of reading here, and of parsing on the other side meanwhile. */
const PAGE_ROWS = 4_000;

/** Entries that have not expired, from the row behind `after` on. (`+until`: in the order of the rows, without the index.) */
export const load = (db: Database, now: EpochMs, after: number): Omit<Page, 'rescues'> => {
  const rows = db
    .prepare<[number, number, number], [row: number, key: string, body: string, evidence: string | null]>(
      `SELECT rowid, key, body, evidence FROM entries
       WHERE rowid > ? AND (+until IS NULL OR +until > ?) ORDER BY rowid LIMIT ?`,
    )
    .raw()
    .all(after, now, PAGE_ROWS);
  const odd = new Map<number, string>();
  const evidence = rows.map(([, , , text], at) => {
    if (text === null || isWritten(text)) return text ?? '';
    odd.set(at, text);
    return '';
  });
  return {
    keys: packTexts(rows.map(([, key]) => key)),
    bodies: packTexts(rows.map(([, , body]) => body)),
    evidence: packTexts(evidence),
    odd,
    next: rows.length < PAGE_ROWS ? undefined : rows.at(-1)?.[0],
  };
};

export const ladder = (db: Database): LadderColumns => {
  const rows = db
    .prepare<[], [subject: string, level: number, lastUntil: number]>('SELECT subject, level, last_until FROM ladder')
    .raw()
    .all();
  return {
    subjects: packTexts(rows.map(([subject]) => subject)),
    levels: rows.map(([, level]) => level),
    lastUntil: rows.map(([, , lastUntil]) => lastUntil),
  };
};

/** Bans of a subject, newest first. `until` says when it really ended: a ban that was lifted ended then. */
export const history = (db: Database, subject: string, limit: number): readonly BanEntry[] => {
  const rows = db
    .prepare<[string, number], BanRow>(
      `SELECT subject, since, CASE WHEN lifted_at < coalesce(until, lifted_at + 1) THEN lifted_at ELSE until END AS until,
         level, origin, reason, rules, evidence
       FROM bans WHERE subject = ? ORDER BY since DESC LIMIT ?`,
    )
    .all(plainText(subject), atMost(limit));
  return rows.flatMap((row) => {
    try {
      return [fromBanRow(row)];
    } catch {
      return []; // A row that only a damaged file can hold; the rest of the history is still worth showing.
    }
  });
};

/** Audit lines, newest first; of one subject, or of all. */
export const auditTrail = (db: Database, subject: string | null, limit: number): readonly AuditLine[] =>
  db
    .prepare<{ subject: string | null; limit: number }, AuditLine>(
      `SELECT at, actor, action, subject, detail FROM audit ${subject === null ? '' : 'WHERE subject = @subject'}
       ORDER BY id DESC LIMIT @limit`,
    )
    .all({ subject: subject === null ? null : plainText(subject), limit: atMost(limit) });

/** Audit lines of detectors since then, newest first. */
export const decisions = (db: Database, since: EpochMs, limit: number): readonly AuditLine[] =>
  db
    .prepare<[number, number], AuditLine>(
      `SELECT at, actor, action, subject, detail FROM audit WHERE at >= ? AND actor = 'detector' ORDER BY at DESC LIMIT ?`,
    )
    .all(since, atMost(limit));
