import { CompanionError, type AuditLine, type Change, type EpochMs } from '../model/index.ts';
import { BoundedQueue, withDeadline } from '../system/index.ts';
import { boundAudit } from './bounds.ts';
import type { Connection } from './connection.ts';
import { PendingChanges } from './pending.ts';

/** From hand-over to commit it must be less than 50 ms; the rest is for the commit itself. */
const BATCH_DELAY_MS = 20;
/** Rows a transaction. Copying them to the thread holds up the main thread: 200 bans with full evidence, 2 ms (measured). */
const BATCH_ROWS = 200;
const WRITE_DEADLINE_MS = 30_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 30_000;

interface Troubles {
  /** Something did not work; called for every failure. */
  failed(problem: string): void;
  /** Writing works again. */
  recovered(failures: number): void;
}

interface Flush {
  readonly upTo: number;
  readonly done: () => void;
}

interface PendingAudit {
  readonly line: AuditLine;
  readonly handed: number;
}

/** Hands changes and audit lines to the database in batches, and again until they are written. Never throws at the giver. */
export class Writer {
  readonly #connection: Connection;
  readonly #troubles: Troubles;
  readonly #limit: number;
  readonly changes: PendingChanges;
  readonly #audit: BoundedQueue<PendingAudit>;
  #droppedAudit = 0;
  #handed = 0;
  #busy = false;
  #failuresInARow = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushes: Flush[] = [];
  #stopped = false;

  constructor(connection: Connection, limit: number, troubles: Troubles) {
    this.#connection = connection;
    this.#limit = limit;
    this.#troubles = troubles;
    this.changes = new PendingChanges(limit);
    // The second half is for operators: their acts must be on record even while detectors are noisy.
    this.#audit = new BoundedQueue(limit * 2);
  }

  get queued(): number {
    return this.changes.size + this.#audit.size;
  }

  get droppedAudit(): number {
    return this.#droppedAudit + this.#audit.dropped;
  }

  remember(change: Change, at: EpochMs): void {
    this.changes.add(change, at, ++this.#handed);
    this.#schedule();
  }

  audit(line: AuditLine): void {
    if (line.actor === 'detector' && this.#audit.size >= this.#limit) this.#droppedAudit++;
    else this.#audit.push({ line: boundAudit(line), handed: ++this.#handed });
    this.#schedule();
  }

  /** Waits until all that was handed over so far is committed and forced to the disk. @throws CompanionError STORE_FAILED */
  async flush(deadlineMs: number): Promise<void> {
    const upTo = this.#handed;
    let flush: Flush | undefined;
    const written = new Promise<void>((done) => {
      flush = { upTo, done };
      this.#flushes.push(flush);
    });
    void this.#pump();
    const all = written.then(() => this.#connection.call('sync', null, deadlineMs));
    try {
      await withDeadline(
        all,
        deadlineMs,
        () =>
          new CompanionError(
            'STORE_FAILED',
            `${this.queued} changes are not on disk yet after ${deadlineMs} ms. They wait in memory and are tried again.`,
          ),
      );
    } finally {
      this.#flushes = this.#flushes.filter((other) => other !== flush);
    }
  }

  /** No more tries. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped = true;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#busy || this.#stopped) return;
    const retry = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failuresInARow - 1));
    this.#timer = setTimeout(() => void this.#pump(), this.#failuresInARow === 0 ? BATCH_DELAY_MS : retry);
    // A process that is done must not live on only to try a dead disk again.
    if (this.#failuresInARow > 0) this.#timer.unref();
  }

  async #pump(): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let more = true;
    while (more && this.queued > 0) {
      const full = this.queued > BATCH_ROWS;
      more = (await this.#writeBatch()) && (full || this.#flushes.length > 0);
      this.#settle();
    }
    this.#settle();
    this.#busy = false;
    if (this.queued > 0) this.#schedule();
  }

  /** @returns false when it did not work; everything then waits for the next try */
  async #writeBatch(): Promise<boolean> {
    const changes = [...this.changes.take(BATCH_ROWS).values()].map(({ change, at, stripped }) => ({
      change,
      at,
      stripped,
    }));
    const audit = this.#audit.first(BATCH_ROWS).map(({ line }) => line);
    try {
      const { rejected, problem } = await this.#connection.call('write', { changes, audit }, WRITE_DEADLINE_MS);
      this.changes.committed();
      this.#audit.discard(audit.length);
      for (let count = 0; count < rejected; count++) this.#troubles.failed(`A row cannot be stored: ${problem}`);
      if (this.#failuresInARow > 0) this.#troubles.recovered(this.#failuresInARow);
      this.#failuresInARow = 0;
      return true;
    } catch (error) {
      this.changes.giveBack();
      this.#failuresInARow++;
      this.#troubles.failed(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /** Ends the flushes whose changes are all committed. */
  #settle(): void {
    if (this.#flushes.length === 0) return;
    const oldestAudit = this.#audit.first(1)[0]?.handed ?? Infinity;
    for (const { upTo, done } of this.#flushes) if (upTo < oldestAudit && !this.changes.waitsFor(upTo)) done();
  }
}
