import { CompanionError, type Clock, type Memo, type Records } from '../model/index.ts';
import { isMemoBounded } from './bounds.ts';
import { Connection } from './connection.ts';
import { DEFAULT_RETENTION, type Retention } from './messages.ts';
import { readEntries, readLadder } from './read-entries.ts';
import { textAt } from './texts.ts';
import { Writer } from './writer.ts';

/** What the store writes to; pino fits. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RecordsOptions {
  /** Path of the database; its directory must exist. */
  readonly file: string;
  readonly clock: Clock;
  readonly log?: StoreLog;
  /** Changes that may wait with their evidence, and audit lines of detectors that may wait. */
  readonly queueLimit?: number;
  readonly retention?: Partial<Retention>;
  /** Cap on the size of the database file, at least 32 MiB; the oldest history makes room. */
  readonly maxBytes?: number;
}

const DEFAULT_QUEUE_LIMIT = 10_000;
/** Some 150 000 standing bans with all the evidence that one can carry. */
const DEFAULT_MAX_BYTES = 2 * 1024 ** 3;
const PRUNE_EVERY_MS = 60_000;
const PRUNE_DEADLINE_MS = 60_000;
const LOAD_DEADLINE_MS = 10_000;
const READ_DEADLINE_MS = 5_000;
const KEEP_DEADLINE_MS = 5_000;
const FLUSH_DEADLINE_MS = 5_000;
/** Within close's 5 s: the flush, then closing the file, then ending the thread. */
const CLOSE_FLUSH_MS = 3_500;
const CLOSE_FILE_MS = 1_000;

/**
 * Opens or makes the database. A damaged one is moved aside and what can be read is rescued (see `stats().lastError`).
 * @throws CompanionError STORE_FAILED when it cannot be opened, or was made by a newer companion
 */
export const openRecords = async (options: RecordsOptions): Promise<Records> => {
  const { file, clock, log, queueLimit = DEFAULT_QUEUE_LIMIT, maxBytes = DEFAULT_MAX_BYTES } = options;
  const retention = { ...DEFAULT_RETENTION, ...options.retention };
  let failures = 0;
  let lastError = '';
  let failing = false;
  let damage = '';
  let closed = false;

  const failed = (problem: string): void => {
    failures++;
    lastError = problem;
  };
  const connection = new Connection({ file, maxBytes }, clock, (notice) => {
    failed(notice);
    damage = notice;
    log?.error({ event: 'store-damaged', file }, notice);
  });
  const writer = new Writer(connection, queueLimit, {
    failed: (problem) => {
      failed(problem);
      // Once a streak: a full disk fails every few seconds for hours.
      if (!failing)
        log?.warn(
          { event: 'store-failing', file, problem },
          'The database does not take what it is given; it waits in memory.',
        );
      failing = true;
    },
    recovered: (count) => {
      failing = false;
      log?.info({ event: 'store-recovered', file, failures: count }, 'The database is written again.');
    },
  });

  await connection.open().catch(async (error: unknown) => {
    await connection.end();
    throw error;
  });

  const pruning = setInterval(() => {
    connection.call('prune', { now: clock.now(), retention }, PRUNE_DEADLINE_MS).catch((error: unknown) => {
      failed(error instanceof Error ? error.message : String(error));
    });
  }, PRUNE_EVERY_MS);
  pruning.unref();

  return {
    load: async (now) => {
      const { entries, unreadable, problem } = await readEntries((after) =>
        connection.call('load', { now, after }, LOAD_DEADLINE_MS),
      );
      const ladder = readLadder(await connection.call('ladder', null, LOAD_DEADLINE_MS));
      writer.changes.learn(entries);
      if (unreadable > 0) {
        for (let count = 0; count < unreadable; count++)
          failed(`${unreadable} stored entries could not be read, e.g. ${problem}`);
        log?.error(
          { event: 'store-unreadable', file, unreadable, problem },
          'Some stored entries could not be read and are left out.',
        );
      }
      return { entries, ladder };
    },
    remember: (change, at) =>
      closed ? failed('A change came after the database was closed.') : writer.remember(change, at),
    audit: (line) => (closed ? failed('An audit line came after the database was closed.') : writer.audit(line)),
    history: (subject, limit) => connection.call('history', { subject, limit }, READ_DEADLINE_MS),
    decisions: (since, limit) => connection.call('decisions', { since, limit }, READ_DEADLINE_MS),
    auditTrail: (subject, limit) => connection.call('auditTrail', { subject, limit }, READ_DEADLINE_MS),
    keep: async (memos) => {
      if (closed) throw new CompanionError('STORE_FAILED', 'The database is closed.');
      const bounded = memos.filter(isMemoBounded);
      if (bounded.length < memos.length) failed('A memo is larger than the database keeps.');
      await connection.call('keep', { memos: bounded }, KEEP_DEADLINE_MS);
    },
    recall: async (kind, now) => {
      const limit = retention.memoRows[kind];
      const { keys, at, until, bodies } = await connection.call('recall', { kind, now, limit }, READ_DEADLINE_MS);
      return at.map((since, row): Memo => ({
        kind,
        key: textAt(keys, row),
        at: since,
        until: until[row] ?? 0,
        body: textAt(bodies, row),
      }));
    },
    flush: () => writer.flush(FLUSH_DEADLINE_MS),
    stats: () => ({
      queued: writer.queued,
      droppedEvidence: writer.changes.droppedEvidence,
      droppedAudit: writer.droppedAudit,
      failures,
      lastError,
      trouble: failing ? `${lastError} Until then ${writer.queued} changes wait in memory.` : damage,
    }),
    close: async () => {
      if (closed) return;
      closed = true;
      clearInterval(pruning);
      try {
        await writer.flush(CLOSE_FLUSH_MS);
        await connection.call('close', null, CLOSE_FILE_MS);
      } catch (error) {
        failed(error instanceof Error ? error.message : String(error));
        log?.error(
          { event: 'store-close', file, queued: writer.queued, problem: lastError },
          'The database could not be closed in good order.',
        );
      }
      writer.stop();
      await connection.end();
    },
  };
};
