import type { Database } from 'better-sqlite3';
import type { AuditLine, BanEntry, Entry, EpochMs, LadderRung } from '../../model/index.ts';
import type { Loaded } from '../messages.ts';
import { fromBanRow, fromRow, plainText, type BanRow, type EntryRow } from './rows.ts';

/** More than anybody reads, less than hurts to send across. */
const MAX_ROWS = 10_000;

const atMost = (limit: number): number => Math.min(MAX_ROWS, Math.max(0, Math.floor(limit) || 0));

/** Entries that have not expired, and the ladder. Rows that make no sense are left out and counted. */
export const load = (db: Database, now: EpochMs): Loaded => {
  const entries: Entry[] = [];
  let unreadable = 0;
  let problem = '';
  const rows = db.prepare<[number], EntryRow>('SELECT * FROM entries WHERE until IS NULL OR until > ? ORDER BY rowid');
  for (const row of rows.iterate(now)) {
    try {
      entries.push(fromRow(row));
    } catch (error) {
      unreadable++;
      problem ||= `${row.kind} ${row.subject}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    }
  }
  const ladder = db.prepare<[], LadderRung>('SELECT subject, level, last_until AS lastUntil FROM ladder').all();
  return { entries, ladder, unreadable, problem };
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
