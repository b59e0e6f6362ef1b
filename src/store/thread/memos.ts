import type { Database } from 'better-sqlite3';
import type { EpochMs, Memo, MemoKind } from '../../model/index.ts';
import type { MemoColumns, Retention } from '../messages.ts';
import { packTexts } from '../texts.ts';
import { plainText } from './rows.ts';

/** Writes memos, and takes out those that have ended by the time they say themselves. */
export const keep = (db: Database, memos: readonly Memo[]): void => {
  const put = db.prepare(`
    INSERT INTO memos (kind, key, at, until, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at, until = excluded.until, body = excluded.body`);
  const remove = db.prepare('DELETE FROM memos WHERE kind = ? AND key = ?');
  db.transaction(() => {
    for (const { kind, key, at, until, body } of memos) {
      if (until <= at) remove.run(kind, plainText(key));
      else put.run(kind, plainText(key), at, until, plainText(body));
    }
  }).immediate();
};

/** The newest, oldest first. */
export const recall = (db: Database, kind: MemoKind, now: EpochMs, limit: number): MemoColumns => {
  const rows = db
    .prepare<[string, number, number], [key: string, at: number, until: number, body: string]>(
      'SELECT key, at, until, body FROM memos WHERE kind = ? AND until > ? ORDER BY at DESC LIMIT ?',
    )
    .raw()
    .all(kind, now, limit)
    .toReversed();
  return {
    keys: packTexts(rows.map(([key]) => key)),
    at: rows.map(([, at]) => at),
    until: rows.map(([, , until]) => until),
    bodies: packTexts(rows.map(([, , , body]) => body)),
  };
};

/** Removes at most so many rows of one kind that has too many, the oldest first. @returns rows removed */
export const pruneMemos = (db: Database, most: Retention['memoRows'], stepRows: number): number => {
  const count = db.prepare<[string], number>('SELECT count(*) FROM memos WHERE kind = ?').pluck();
  for (const [kind, rows] of Object.entries(most)) {
    const excess = (count.get(kind) ?? 0) - rows;
    if (excess <= 0) continue;
    return db
      .prepare('DELETE FROM memos WHERE rowid IN (SELECT rowid FROM memos WHERE kind = ? ORDER BY at LIMIT ?)')
      .run(kind, Math.min(stepRows, excess)).changes;
  }
  return 0;
};
