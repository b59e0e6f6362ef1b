import { Worker } from 'node:worker_threads';
import { CompanionError, type Clock } from '../model/index.ts';
import { withDeadline } from '../system/index.ts';
import type { CallName, Calls, Question, Reply, ThreadOptions } from './messages.ts';

/** Calls that wait for an answer at one time. Writes are one at a time; only many readers at once can reach this. */
const MAX_WAITING = 1_000;
const OPEN_DEADLINE_MS = 10_000;
const END_DEADLINE_MS = 500;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One life of the database thread. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  readonly opened: Promise<unknown>;
}

const failed = (problem: string, cause?: unknown): CompanionError =>
  new CompanionError('STORE_FAILED', problem, { cause });

/** `worker.ts` when started from source, `worker.js` when built: tsc rewrites imports but not URLs. */
const workerUrl = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './thread/worker.ts' : './thread/worker.js', import.meta.url);

/** Calls into the database thread. Starts it on first use, and again when it has died. */
export class Connection {
  readonly #options: ThreadOptions;
  readonly #clock: Clock;
  readonly #notice: (text: string) => void;
  #thread: Thread | undefined;
  #lastId = 0;
  #ended = false;

  constructor(options: ThreadOptions, clock: Clock, notice: (text: string) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#notice = notice;
  }

  /** @throws CompanionError STORE_FAILED when the database cannot do it, the thread dies, or the deadline passes */
  async call<Name extends CallName>(
    name: Name,
    ask: Calls[Name]['ask'],
    deadlineMs: number,
  ): Promise<Calls[Name]['answer']> {
    const late = (): Error => {
      // A write that hangs would hold up every later one; a new thread starts clean, and SQLite undoes the half-done.
      if (name === 'write') void this.#abandon();
      return failed(
        `The database ${this.#options.file} did not answer '${name}' within ${deadlineMs} ms. Check the load of its disk.`,
      );
    };
    return withDeadline(this.#callOpened(name, ask), deadlineMs, late);
  }

  /** Opens the database, so that a start with a broken one fails with a clear sentence. */
  async open(): Promise<void> {
    await withDeadline(this.#start().opened, OPEN_DEADLINE_MS, () =>
      failed(
        `The database ${this.#options.file} could not be opened within ${OPEN_DEADLINE_MS} ms. Check the load of its disk.`,
      ),
    );
  }

  /** Ends the thread for good, whatever it is doing; what waits is rejected. */
  async end(): Promise<void> {
    this.#ended = true;
    // A thread that hangs in the kernel cannot be ended; it goes with the process.
    await withDeadline(this.#abandon(), END_DEADLINE_MS, () => failed('The database thread does not end.')).catch(
      () => undefined,
    );
  }

  async #abandon(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#forget(thread, 'The database thread was ended.');
    await thread.worker.terminate();
  }

  async #callOpened<Name extends CallName>(name: Name, ask: Calls[Name]['ask']): Promise<Calls[Name]['answer']> {
    if (this.#ended) throw failed('The database is closed.');
    const thread = this.#thread ?? this.#start();
    await thread.opened;
    return this.#ask(thread, name, ask);
  }

  #start(): Thread {
    const worker = new Worker(workerUrl(), { name: 'companion-store', workerData: this.#options, execArgv: [] });
    const waiting = new Map<number, Waiting>();
    let thread: Thread | undefined;
    const die = (problem: string, cause?: unknown): void => {
      if (thread !== undefined)
        this.#forget(thread, `The database thread ended: ${problem}. It is started again.`, cause);
    };
    worker.on('message', (reply: Reply) => this.#receive(waiting, reply));
    worker.on('error', (error) => die(error instanceof Error ? error.message : String(error), error));
    worker.on('messageerror', (error) => die(error.message, error));
    worker.on('exit', (code) => die(`exit code ${code}`));
    // Whoever waits for an answer keeps the process alive (see withDeadline); the idle thread does not. (After `on`, which refs.)
    worker.unref();
    const opened = this.#ask({ worker, waiting }, 'open', { now: this.#clock.now() });
    thread = { worker, waiting, opened };
    this.#thread = thread;
    opened.catch((error: unknown) => {
      if (thread !== undefined) this.#forget(thread, error instanceof Error ? error.message : String(error), error);
      void worker.terminate();
    });
    return thread;
  }

  #ask<Name extends CallName>(
    thread: Omit<Thread, 'opened'>,
    name: Name,
    ask: Calls[Name]['ask'],
  ): Promise<Calls[Name]['answer']> {
    return new Promise((resolve, reject) => {
      if (thread.waiting.size >= MAX_WAITING)
        return reject(failed('The database is busy with too many questions. Try again in a moment.'));
      const id = ++this.#lastId;
      thread.waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      thread.worker.postMessage({ id, name, ask } as Question);
    });
  }

  #receive(waiting: Map<number, Waiting>, reply: Reply): void {
    if ('notice' in reply) return this.#notice(reply.notice);
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) call?.resolve(reply.answer);
    else call?.reject(failed(reply.problem));
  }

  #forget(thread: Thread, problem: string, cause?: unknown): void {
    if (this.#thread === thread) this.#thread = undefined;
    for (const { reject } of thread.waiting.values()) reject(failed(problem, cause));
    thread.waiting.clear();
  }
}
