import { parentPort, workerData } from 'node:worker_threads';
import { CompanionError } from '../../model/index.ts';
import type { Calls, Question, Reply, ThreadOptions } from '../messages.ts';
import { Keeper, type Opened } from './keeper.ts';
import { sqliteCode } from './open-database.ts';
import { keep, recall } from './memos.ts';
import { auditTrail, decisions, history, ladder, load } from './read.ts';
import { makeRoom, pruneStep } from './retention.ts';

/** The database thread: answers one question after the other; only pruning lets others in between its steps. */

/** What one round of pruning may remove (100 000 rows); the rest waits for the next minute. */
const MAX_PRUNE_STEPS = 100;
/** What one batch may push out. */
const MAX_ROOM_STEPS = 20;

const options = workerData as ThreadOptions;
const post = (reply: Reply): void => parentPort?.postMessage(reply);
const keeper = new Keeper(options, (notice) => post({ notice }));

let ending = false;

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

const prune = async ({ now, retention }: Calls['prune']['ask']): Promise<Calls['prune']['answer']> => {
  let removed = 0;
  for (let step = 0; step < MAX_PRUNE_STEPS && !ending; step++) {
    const rows = keeper.use(({ db }) => pruneStep(db, now, retention));
    if (rows === 0) break;
    removed += rows;
    await turn();
  }
  return { removed };
};

/** At our own size cap old history makes room for what is new. On a disk that others fill there is only waiting. */
const withRoom = <T>(write: (opened: Opened) => T): T => {
  for (let step = 0; ; step++) {
    try {
      return keeper.use(write);
    } catch (error) {
      const full = sqliteCode(error) === 'SQLITE_FULL' && step < MAX_ROOM_STEPS;
      if (!full || keeper.use(({ db }) => makeRoom(db)) === 0) throw error;
    }
  }
};

/** A passive checkpoint syncs the log, then the file; readers and writers go on. */
const sync = (): null => {
  keeper.use(({ db }) => db.pragma('wal_checkpoint(PASSIVE)'));
  return null;
};

const answer = (question: Question): Calls[keyof Calls]['answer'] | Promise<Calls[keyof Calls]['answer']> => {
  const { name, ask } = question;
  switch (name) {
    case 'open':
      keeper.now = ask.now;
      keeper.use(() => undefined);
      return null;
    case 'load':
      keeper.now = ask.now;
      return { ...keeper.use(({ db }) => load(db, ask.now, ask.after)), rescues: keeper.rescues };
    case 'ladder':
      return keeper.use(({ db }) => ladder(db));
    case 'write':
      return withRoom((opened) => opened.write(ask));
    case 'history':
      return keeper.use(({ db }) => history(db, ask.subject, ask.limit));
    case 'decisions':
      return keeper.use(({ db }) => decisions(db, ask.since, ask.limit));
    case 'auditTrail':
      return keeper.use(({ db }) => auditTrail(db, ask.subject, ask.limit));
    case 'keep':
      withRoom(({ db }) => keep(db, ask.memos));
      return null;
    case 'recall':
      return keeper.use(({ db }) => recall(db, ask.kind, ask.now, ask.limit));
    case 'sync':
      return sync();
    case 'prune':
      keeper.now = ask.now;
      return prune(ask);
    case 'close':
      ending = true;
      keeper.close();
      return null;
  }
};

const problemOf = (error: unknown): string => {
  if (error instanceof CompanionError) return error.message;
  const problem = error instanceof Error ? error.message : String(error);
  return `Cannot use the database ${options.file}: ${problem}. Check that the disk has room and that the user running companion may write there.`;
};

parentPort?.on('message', (question: Question) => {
  // In a then, so that an answer that throws at once is reported like one that rejects.
  Promise.resolve()
    .then(() => answer(question))
    .then(
      (value) => post({ id: question.id, ok: true, answer: value }),
      (error: unknown) => post({ id: question.id, ok: false, problem: problemOf(error) }),
    );
});
