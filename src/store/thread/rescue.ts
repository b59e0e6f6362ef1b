import { existsSync, renameSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { EpochMs } from '../../model/index.ts';
import { SCHEMA_VERSION, TABLES } from './schema.ts';

/** What rescuing may take, so that the start is not held up: lists and bans come first and are small. */
const RESCUE_MS = 4_000;

/**
 * Moves a damaged database with its write-ahead log out of the way. It is kept for whoever wants to look into it.
 * @returns its new name, `<file>.corrupt-<timestamp>`
 * @throws a file system error
 */
export const moveAside = (file: string, now: EpochMs): string => {
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '-');
  let aside = `${file}.corrupt-${stamp}`;
  for (let count = 2; existsSync(aside); count++) aside = `${file}.corrupt-${stamp}-${count}`;
  for (const suffix of ['-wal', '']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  // The index of the log is rebuilt from the log; an old one beside a new file would be wrong.
  if (existsSync(`${file}-shm`)) renameSync(`${file}-shm`, `${aside}-shm`);
  return aside;
};

/**
 * Copies what can still be read: an allow list that is lost would hurt customers. Reads each table from the front until
 * the damage, then from the back. Row by row, so that one bad row costs one row. Never throws.
 * @returns how many rows of each table came over
 */
export const rescueRows = (aside: string, db: Database): Readonly<Record<string, number>> => {
  const rescued: Record<string, number> = {};
  const deadline = performance.now() + RESCUE_MS;
  let old: Database;
  try {
    old = new SqliteDatabase(aside, { readonly: true, timeout: 0 });
  } catch {
    return rescued;
  }
  try {
    const version = old.pragma('user_version', { simple: true }) as number;
    // an older one has the same tables, or not all of them
    if (version < 1 || version > SCHEMA_VERSION) return rescued;
    for (const [table, columns] of Object.entries(TABLES)) {
      const insert = db.prepare(
        `INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`,
      );
      for (const order of ['ASC', 'DESC']) {
        try {
          db.transaction(() => {
            const query = `SELECT ${columns.join()} FROM ${table} NOT INDEXED ORDER BY rowid ${order}`;
            for (const row of rowsUntilDamage(old, query)) {
              rescued[table] = (rescued[table] ?? 0) + tryInsert(() => insert.run(...row).changes);
              if (performance.now() > deadline) return;
            }
          })();
        } catch {
          // A transaction that cannot be committed (a full disk) costs this pass only.
        }
      }
    }
  } catch {
    // Not even its version can be read.
  } finally {
    old.close();
  }
  return rescued;
};

function* rowsUntilDamage(old: Database, query: string): Generator<unknown[]> {
  try {
    for (const row of old.prepare(query).raw().iterate()) yield row as unknown[];
  } catch {
    // The damage: what follows cannot be reached from this side.
  }
}

const tryInsert = (insert: () => number): number => {
  try {
    return insert();
  } catch {
    return 0; // For example a NULL where none can be: this row was part of the damage.
  }
};
