import type { Database } from 'better-sqlite3';
import type { EpochMs } from '../../model/index.ts';
import type { Retention } from '../messages.ts';
import { pruneMemos } from './memos.ts';

/** Rows that one step removes, so that writes get their turn in between. */
const STEP_ROWS = 1_000;
/** Above this share of our own size cap, the oldest history makes room. */
const FULL_SHARE = 0.8;

const count = (db: Database, table: 'bans' | 'audit'): number =>
  db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0;

const remove = (db: Database, from: string, ...values: readonly number[]): number =>
  db.prepare(`DELETE FROM ${from.split(' ', 1)[0]} WHERE rowid IN (SELECT rowid FROM ${from} LIMIT ?)`).run(...values)
    .changes;

const removeOldest = (db: Database, table: 'bans' | 'audit', rows: number): number =>
  rows <= 0 ? 0 : remove(db, table === 'bans' ? 'bans ORDER BY since' : 'audit ORDER BY id', Math.min(STEP_ROWS, rows));

/** With a cap on the file (`max_page_count`): how full it is, 0 … 1, not counting pages that can be used again. */
const fullness = (db: Database): number => {
  const pages = (name: string): number => db.pragma(name, { simple: true }) as number;
  return (pages('page_count') - pages('freelist_count')) / pages('max_page_count');
};

/**
 * Removes at most STEP_ROWS rows of the oldest audit, then history, when the file comes near its cap.
 * @returns rows removed; 0 when the cap is not near, or nothing is left but what is enforced now
 */
export const makeRoom = (db: Database): number =>
  fullness(db) > FULL_SHARE ? removeOldest(db, 'audit', STEP_ROWS) || removeOldest(db, 'bans', STEP_ROWS) : 0;

/**
 * Removes at most STEP_ROWS rows of the first kind that is due: expired entries, old ladder rungs, history and audit
 * beyond their age, then beyond their number, then for lack of room. Bans that still stand do not age.
 * @returns rows removed; 0 when nothing is due
 */
export const pruneStep = (db: Database, now: EpochMs, retention: Retention): number =>
  remove(db, 'entries WHERE until <= ?', now, STEP_ROWS) ||
  remove(db, 'memos WHERE until <= ?', now, STEP_ROWS) ||
  remove(db, 'ladder WHERE last_until < ?', now - retention.ladderMs, STEP_ROWS) ||
  remove(db, 'bans WHERE coalesce(lifted_at, until) < ?', now - retention.bansMs, STEP_ROWS) ||
  remove(db, 'audit WHERE at < ?', now - retention.auditMs, STEP_ROWS) ||
  removeOldest(db, 'bans', count(db, 'bans') - retention.bansRows) ||
  removeOldest(db, 'audit', count(db, 'audit') - retention.auditRows) ||
  pruneMemos(db, retention.memoRows, STEP_ROWS) ||
  makeRoom(db);
