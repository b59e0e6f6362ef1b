import type { Database } from 'better-sqlite3';
import type { EpochMs } from '../../model/index.ts';
import type { ThreadOptions } from '../messages.ts';
import { isCorrupt, openDatabase, sqliteCode } from './open-database.ts';
import { moveAside, rescueRows } from './rescue.ts';
import { prepareWrite, type Write } from './write.ts';

/** A disk that damages one file after another is not helped by filling it with damaged files. */
const MAX_RESCUES = 3;

export interface Opened {
  readonly db: Database;
  readonly write: Write;
}

/** Holds the open database, opens it again after an I/O error, and replaces it when the file is damaged. */
export class Keeper {
  readonly #options: ThreadOptions;
  readonly #notice: (text: string) => void;
  #opened: Opened | undefined;
  #rescues = 0;
  /** Only names the file that is moved aside; follows the clock of the main thread. */
  now: EpochMs = 0;

  constructor(options: ThreadOptions, notice: (text: string) => void) {
    this.#options = options;
    this.#notice = notice;
  }

  /** Damaged files that were replaced so far. */
  get rescues(): number {
    return this.#rescues;
  }

  /** Runs the work with an open database; once more with a fresh one when the file turns out to be damaged. */
  use<T>(work: (opened: Opened) => T): T {
    try {
      return work(this.#open());
    } catch (error) {
      if (isCorrupt(error) && this.#rescues < MAX_RESCUES) {
        this.#startFresh(error);
        return work(this.#open());
      }
      // Space and locks come back by themselves; after anything else the next try starts with a new connection.
      if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|CORRUPT|NOTADB)/.test(sqliteCode(error))) this.close();
      throw error;
    }
  }

  close(): void {
    try {
      this.#opened?.db.close();
    } finally {
      this.#opened = undefined;
    }
  }

  #open(): Opened {
    if (this.#opened === undefined) {
      const db = openDatabase(this.#options);
      this.#opened = { db, write: prepareWrite(db) };
    }
    return this.#opened;
  }

  #startFresh(cause: unknown): void {
    this.#rescues++;
    this.close();
    const { file } = this.#options;
    const aside = moveAside(file, this.now);
    const { db } = this.#open();
    const rescued = Object.entries(rescueRows(aside, db)).map(([table, rows]) => `${rows} ${table}`);
    const problem = cause instanceof Error ? cause.message : String(cause);
    this.#notice(
      `The database ${file} was damaged (${problem}). It was kept as ${aside}, and a new one was started with what could still be read: ${rescued.join(', ') || 'nothing'}. Compare the allow and deny lists with what you expect.`,
    );
  }
}
