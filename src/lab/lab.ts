import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCompanionConfig } from './companion-config.ts';
import { createSubscriberDatabase, parseUsers } from './database.ts';
import { chooseDomain, kamailioConfig } from './kamailio-config.ts';
import { COMPANION_ENTRY, createLayout, findProgram } from './layout.ts';
import type { Layout } from './layout.ts';
import { chooseLineAddresses, requireFree } from './ports.ts';
import { accepts, untilConnected, untilSipAnswers } from './probe.ts';
import { LabError, withTail } from './problem.ts';
import { startProgram } from './program.ts';
import type { Program, ProgramName } from './program.ts';
import { parseSipEndpoint } from './sip-endpoint.ts';
import type { SipEndpoint } from './sip-endpoint.ts';

export interface LabOptions {
  /** `127.77.0.1:15060` or `[::1]:15060`. */
  readonly sip: string;
  /** `alice:secret,bob:secret`. */
  readonly users?: string | undefined;
  /** The operator's YAML; places (directories, sockets, ports, nodes) are overridden. */
  readonly config?: string | undefined;
  readonly mode?: 'shadow' | 'enforce' | undefined;
  readonly domain?: string | undefined;
  /** Leave the directory behind. */
  readonly keep?: boolean | undefined;
  /** Gives up the start. */
  readonly signal?: AbortSignal | undefined;
}

/** The line that says that everything runs. Other programs read it: its shape is fixed. */
export interface ReadyLine {
  readonly ready: true;
  readonly sip: string;
  readonly api: string;
  readonly token: string;
  readonly socket: string;
  readonly config: string;
  readonly state: string;
  readonly pids: Readonly<Record<ProgramName, number>>;
}

export type RestartListener = (name: ProgramName, pid: number) => void;

export interface Lab {
  /** As it was at the start; `pids()` says how it is now. */
  readonly ready: ReadyLine;
  readonly directory: string;
  pids(): Readonly<Record<ProgramName, number>>;
  /** Called when a program that died runs again. @returns the function that ends the subscription */
  onRestart(listener: RestartListener): () => void;
  /** Ends both programs and removes the directory. */
  stop(): Promise<void>;
  /** Rejects when a program cannot be kept running; everything is cleaned up by then. Resolves after `stop`. */
  readonly ended: Promise<void>;
}

const START_DEADLINE_MS = 30_000;
const POLL_MS = 20;
/** Debian's default; what works here must work there. */
const KAMAILIO_MEMORY = ['-m', '64', '-M', '8'];

/** Kamailio reads its secrets at its start: companion comes first. */
const bringUp = async (
  layout: Layout,
  sip: SipEndpoint,
  start: { readonly kamailio: () => void; readonly companion: () => void },
  signal: AbortSignal,
): Promise<void> => {
  start.companion();
  while (!existsSync(join(layout.state, 'kamailio-secret.cfg')) && !signal.aborted) await sleep(POLL_MS);
  if (signal.aborted) return;
  start.kamailio();
  await untilConnected(layout.socket, signal);
  // without an answer Kamailio is up all the same: companion spoke with it, and nothing refused
  await untilSipAnswers(sip, signal);
};

/** A complaint about the copy of the operator's file is about that file. */
const inWordsOfOperator = (error: unknown, layout: Layout, file: string | undefined): unknown =>
  error instanceof LabError && file !== undefined ? new LabError(error.message.replaceAll(layout.config, file)) : error;

/**
 * Starts a Kamailio and a companion and keeps both running.
 * @throws LabError when something is in the way; nothing is left behind then
 */
export const startLab = async (options: LabOptions): Promise<Lab> => {
  const sip = parseSipEndpoint(options.sip);
  const domain = chooseDomain(options.domain, sip);
  const users = parseUsers(options.users ?? '');
  const kamailio = findProgram('kamailio');
  await requireFree(sip);
  const line = await chooseLineAddresses();

  const layout = createLayout();
  const listeners = new Set<RestartListener>();
  const programs: Partial<Record<ProgramName, Program>> = {};
  const failure = Promise.withResolvers<never>();
  const ended = Promise.withResolvers<void>();
  const bringing = new AbortController();
  for (const { promise } of [failure, ended]) promise.catch(() => undefined);

  const cleanUp = async (): Promise<void> => {
    bringing.abort();
    await Promise.all(Object.values(programs).map(async (program) => program.stop()));
    if (options.keep !== true) rmSync(layout.directory, { recursive: true, force: true });
  };
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopped ??= cleanUp().finally(() => {
      ended.resolve();
    });
    return stopped;
  };
  const start = (
    name: ProgramName,
    command: string,
    args: readonly string[],
    answers: () => Promise<boolean>,
  ): void => {
    programs[name] = startProgram({
      name,
      command,
      args,
      answers,
      log: layout.logs[name],
      gaveUp: failure.reject,
      restarted: (pid) => {
        for (const listener of listeners) listener(name, pid);
      },
    });
  };

  let token: string;
  try {
    const config = writeCompanionConfig(options.config, layout, line);
    writeFileSync(layout.config, config.text, { mode: 0o600 });
    createSubscriberDatabase(layout.database, domain.realm, users);
    writeFileSync(layout.kamailioConfig, kamailioConfig(layout, sip, domain, line), { mode: 0o600 });
    const mode = options.mode === undefined ? [] : ['--mode', options.mode];
    const aborted = new Promise<never>((_resolve, reject) => {
      const abort = (): void => {
        reject(new LabError('Stopped while starting.'));
      };
      if (options.signal?.aborted === true) abort();
      options.signal?.addEventListener('abort', abort, { once: true });
    });
    const late = setTimeout(() => {
      const starting = programs.kamailio === undefined ? 'companion' : 'kamailio';
      failure.reject(
        withTail(
          `Kamailio and companion were not connected within ${START_DEADLINE_MS / 1_000} s; ${starting} hangs.`,
          layout.logs[starting],
        ),
      );
    }, START_DEADLINE_MS);
    try {
      const up = bringUp(
        layout,
        sip,
        {
          companion: () => {
            start(
              'companion',
              process.execPath,
              [COMPANION_ENTRY, 'run', '--config', layout.config, ...mode],
              async () => accepts({ path: layout.socket }),
            );
          },
          kamailio: () => {
            const places = ['-f', layout.kamailioConfig, '-w', layout.directory, '-Y', layout.kamailioRun];
            start('kamailio', kamailio, ['-DD', '-E', ...places, ...KAMAILIO_MEMORY], async () =>
              accepts({ host: line.host, port: line.rpc }),
            );
          },
        },
        bringing.signal,
      );
      await Promise.race([up, failure.promise, aborted]);
    } finally {
      clearTimeout(late);
    }
    token = config.token ?? readFileSync(join(layout.state, 'token'), 'utf8').trim();
  } catch (error) {
    await stop();
    throw inWordsOfOperator(error, layout, options.config);
  }

  for (const program of Object.values(programs)) program.keepAlive();
  failure.promise.catch((error: unknown) => {
    stopped ??= cleanUp().finally(() => {
      ended.reject(error);
    });
  });
  const pids = (): ReadyLine['pids'] => ({
    kamailio: programs.kamailio?.pid ?? 0,
    companion: programs.companion?.pid ?? 0,
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
      pids: pids(),
    },
    directory: layout.directory,
    pids,
    onRestart: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop,
    ended: ended.promise,
  };
};
