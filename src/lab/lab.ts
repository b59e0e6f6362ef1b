import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from './prepare/layout.ts';
import { createPair } from './running/pair.ts';
import type { Pids, RestartListener } from './running/pair.ts';
import { prepareLab } from './prepare/prepare.ts';
import type { LabOptions } from './prepare/prepare.ts';
import { LabError } from './problem.ts';

/** The line that says that everything runs. Other programs read it: its shape is fixed. */
export interface ReadyLine {
  readonly ready: true;
  readonly sip: string;
  readonly api: string;
  readonly token: string;
  readonly socket: string;
  /** Companion's YAML; a restart reads it again. */
  readonly config: string;
  /** Companion's state directory. */
  readonly state: string;
  readonly pids: Pids;
}

export interface Lab {
  /** As it was at the start; `pids()` says how it is now. */
  readonly ready: ReadyLine;
  readonly directory: string;
  pids(): Pids;
  /** Called when a program that died runs again. @returns the function that ends the subscription */
  onRestart(listener: RestartListener): () => void;
  /** Ends both programs and removes the directory. */
  stop(): Promise<void>;
  /** Resolves after `stop`. Rejects when a program cannot be kept running; everything is cleaned up by then. */
  readonly ended: Promise<void>;
}

/** A complaint about the copy of the operator's file is about that file. */
const inWordsOfOperator = (error: unknown, layout: Layout, file: string | undefined): unknown =>
  error instanceof LabError && file !== undefined
    ? new LabError(
        error.message.replaceAll(layout.config, () => file),
        { cause: error },
      )
    : error;

const aborting = async (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(new LabError('Stopped while starting.'));
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
  });

/**
 * Starts a Kamailio and a companion and keeps both running.
 * @throws LabError when something is in the way; nothing is left behind then
 */
export const startLab = async (options: LabOptions): Promise<Lab> => {
  const prepared = await prepareLab(options);
  const { layout, line, sip } = prepared;
  const listeners = new Set<RestartListener>();
  const pair = createPair(prepared, options.mode, (name, pid) => {
    for (const listener of listeners) listener(name, pid);
  });
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  let stopped: Promise<void> | undefined;
  const cleanUp = async (): Promise<void> => {
    await pair.stop();
    if (options.keep !== true) rmSync(layout.directory, { recursive: true, force: true });
  };
  const stop = async (): Promise<void> => {
    stopped ??= cleanUp().finally(() => {
      ended.resolve();
    });
    return stopped;
  };

  let token: string;
  try {
    await Promise.race([pair.up(), aborting(options.signal)]);
    token = prepared.token ?? readFileSync(join(layout.state, 'token'), 'utf8').trim();
  } catch (error) {
    await stop();
    throw inWordsOfOperator(error, layout, options.config);
  }
  pair.failed.catch((error: unknown) => {
    stopped ??= cleanUp().finally(() => {
      ended.reject(error);
    });
  });
  return {
    ready: {
      ready: true,
      sip: `${sip.host}:${sip.port}`,
      api: `http://${line.host}:${line.http}`,
      token,
      socket: layout.socket,
      config: layout.config,
      state: layout.state,
      pids: pair.pids(),
    },
    directory: layout.directory,
    pids: pair.pids,
    onRestart: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop,
    ended: ended.promise,
  };
};
