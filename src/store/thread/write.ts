import type { Database } from 'better-sqlite3';
import type { AuditLine, BanEntry } from '../../model/index.ts';
import type { Calls, StoredChange, WriteReport } from '../messages.ts';
import { sqliteCode } from './open-database.ts';
import { keyOf, plainText, toBanRow, toRow } from './rows.ts';

/** A permanent ban keeps its rung for good: the largest time that a Date can hold. */
const NEVER_MS = 8.64e15;

export type Write = (batch: Calls['write']['ask']) => WriteReport;

/**
 * Prepares the statements and returns the function that writes one batch in one transaction. Writing the same changes
 * twice gives the same result (a batch is handed over again when its answer was lost); an audit line may then stand twice.
 */
export const prepareWrite = (db: Database): Write => {
  const putEntry = db.prepare(`
    INSERT INTO entries (key, kind, subject, until, body, evidence) VALUES (@key, @kind, @subject, @until, @body, @evidence)
    ON CONFLICT (key) DO UPDATE SET until = excluded.until, body = excluded.body,
      evidence = CASE WHEN @stripped THEN evidence ELSE excluded.evidence END`);
  const removeEntry = db.prepare('DELETE FROM entries WHERE key = ?');

  const putBan = db.prepare(`
    INSERT INTO bans (subject, since, until, level, origin, reason, rules, evidence, lifted_at, lifted_why)
    VALUES (@subject, @since, @until, @level, @origin, @reason, @rules, @evidence, @liftedAt, @liftedWhy)
    ON CONFLICT (subject, since) DO UPDATE SET until = excluded.until, level = excluded.level, origin = excluded.origin,
      reason = excluded.reason, rules = excluded.rules, lifted_at = excluded.lifted_at, lifted_why = excluded.lifted_why,
      evidence = CASE WHEN @stripped THEN evidence ELSE excluded.evidence END`);
  const supersede = db.prepare(`
    UPDATE bans SET lifted_at = @at, lifted_why = 'superseded'
    WHERE subject = @subject AND since <> @since AND lifted_at IS NULL AND (until IS NULL OR until > @at)`);

  const climb = db.prepare(`
    INSERT INTO ladder (subject, level, last_until) VALUES (@subject, @level, @lastUntil)
    ON CONFLICT (subject) DO UPDATE SET level = excluded.level, last_until = excluded.last_until`);
  const addAudit = db.prepare('INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)');

  const writeBan = (ban: BanEntry, { change, at, stripped }: StoredChange): void => {
    const row = toBanRow(ban);
    const removed = change.op === 'remove';
    putBan.run({
      ...row,
      stripped: stripped ? 1 : 0,
      liftedAt: removed ? at : null,
      liftedWhy: removed ? change.why : null,
    });
    if (!removed) supersede.run({ subject: row.subject, since: ban.since, at });
    // A ban that was superseded has left its rung to its successor.
    if (ban.origin !== 'detector' || ban.level < 1 || (removed && change.why === 'superseded')) return;
    const until = ban.until ?? NEVER_MS;
    climb.run({ subject: row.subject, level: ban.level, lastUntil: removed ? Math.min(until, at) : until });
  };

  const writeChange = (item: StoredChange): void => {
    const { entry, op } = item.change;
    if (op === 'put') putEntry.run({ ...toRow(entry), stripped: item.stripped ? 1 : 0 });
    else removeEntry.run(keyOf(entry));
    if (entry.kind === 'ban') writeBan(entry, item);
  };

  const writeAudit = (line: AuditLine): void => {
    addAudit.run(
      line.at,
      plainText(line.actor),
      plainText(line.action),
      plainText(line.subject),
      plainText(line.detail),
    );
  };

  return db.transaction(({ changes, audit }: Calls['write']['ask']): WriteReport => {
    let rejected = 0;
    let problem = '';
    const each = <T>(items: readonly T[], write: (item: T) => void): void => {
      for (const item of items) {
        try {
          write(item);
        } catch (error) {
          if (!isHopeless(error)) throw error;
          rejected++;
          problem ||= error instanceof Error ? error.message : String(error);
        }
      }
    };
    each(changes, writeChange);
    each(audit, writeAudit);
    return { rejected, problem };
  }).immediate;
};

/** One bad row must not hold up all the others for ever: what would fail the same way again is left out and counted. */
const isHopeless = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === '' || /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)/.test(code);
};
