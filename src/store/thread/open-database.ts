import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { ThreadOptions } from '../messages.ts';
import { migrate } from './schema.ts';

const FILE_MODE = 0o600;
const PAGE_BYTES = 4_096;
/** A cap below this would not even hold one batch of bans with all their evidence. */
const LEAST_CAP_BYTES = 32 * 1024 * 1024;
/** Files up to this size are checked whole at start (measured: 0.2 s); larger ones are judged by what is read. */
const CHECKED_BYTES = 128 * 1024 * 1024;
/** How long a writer waits for another process that holds the lock, e.g. an operator's sqlite3 shell. */
const BUSY_MS = 2_000;

export const sqliteCode = (error: unknown): string => {
  const code = error instanceof SqliteDatabase.SqliteError ? error.code : '';
  return typeof code === 'string' ? code : '';
};

/** The file itself is damaged, or is no database: trying again cannot help. */
export const isCorrupt = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error));

const checkWhole = (db: Database, file: string): void => {
  if (statSync(file).size > CHECKED_BYTES) return;
  const verdict = db.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') {
    const found = String(verdict).replaceAll(/\s+/g, ' ');
    throw new SqliteDatabase.SqliteError(`the check found: ${found}`, 'SQLITE_CORRUPT');
  }
};

const open = ({ file, maxBytes }: ThreadOptions, alone: boolean): Database => {
  const db = new SqliteDatabase(file, { timeout: BUSY_MS });
  try {
    if (alone) db.pragma('locking_mode = EXCLUSIVE');
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    // A checkpoint after a burst gives the space of the write-ahead log back.
    db.pragma('journal_size_limit = 8388608');
    db.pragma(`max_page_count = ${Math.floor(Math.max(LEAST_CAP_BYTES, maxBytes) / PAGE_BYTES)}`);
    migrate(db, file);
    checkWhole(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

/**
 * Opens or makes the file (mode 0600) and migrates it.
 * WAL with synchronous=NORMAL: whatever was committed survives `kill -9`, since it is with the kernel; a loss of power
 * costs at most what was committed since the last `sync`, and never the file.
 * @throws CompanionError STORE_FAILED for a newer database; an SQLite or file system error else
 */
export const openDatabase = (options: ThreadOptions): Database => {
  // SQLite would make it with the umask; -wal and -shm take the mode of the file.
  closeSync(openSync(options.file, 'a', FILE_MODE));
  chmodSync(options.file, FILE_MODE);
  try {
    return open(options, false);
  } catch (error) {
    // On a full disk there is no room for the index of the log (-shm). Alone, SQLite keeps it in memory: the service starts
    // with what it knows, instead of leaving the servers without it until somebody makes room.
    if (!/^SQLITE_(IOERR|FULL)/.test(sqliteCode(error))) throw error;
    return open(options, true);
  }
};
