import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPANION_ENTRY } from '../prepare/layout.ts';
import type { Prepared } from '../prepare/prepare.ts';
import { accepts, untilConnected, untilSipAnswers } from './probe.ts';
import { withTail } from '../problem.ts';
import { startProgram } from './program.ts';
import type { Program, ProgramName } from './program.ts';

export type Pids = Readonly<Record<ProgramName, number>>;
export type RestartListener = (name: ProgramName, pid: number) => void;

/** Kamailio and companion, kept running. */
export interface Pair {
  /** Resolves when both run and have found each other. */
  up(): Promise<void>;
  /** Rejects when one of them cannot be started or kept running. */
  readonly failed: Promise<never>;
  pids(): Pids;
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
const POLL_MS = 20;
/** Debian's default; what works here must work there. */
const KAMAILIO_MEMORY = ['-m', '64', '-M', '8'];

export const createPair = (
  { sip, line, layout, kamailio }: Prepared,
  mode: 'shadow' | 'enforce' | undefined,
  restarted: RestartListener,
): Pair => {
  const programs: Partial<Record<ProgramName, Program>> = {};
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  const starting = new AbortController();

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
      restarted: (pid) => {
        restarted(name, pid);
      },
      gaveUp: failure.reject,
    });
  };
  /** Kamailio reads its secrets at its start: companion comes first. */
  const bringUp = async (): Promise<void> => {
    const { signal } = starting;
    const run = [COMPANION_ENTRY, 'run', '--config', layout.config, ...(mode === undefined ? [] : ['--mode', mode])];
    start('companion', process.execPath, run, async () => accepts({ path: layout.socket }));
    while (!existsSync(layout.secrets) && !signal.aborted) await sleep(POLL_MS);
    if (signal.aborted) return;
    const places = ['-f', layout.kamailioConfig, '-w', layout.directory, '-Y', layout.kamailioRun];
    const listens = async (): Promise<boolean> => accepts({ host: line.host, port: line.rpc });
    start('kamailio', kamailio, ['-DD', '-E', ...places, ...KAMAILIO_MEMORY], listens);
    await untilConnected(layout.socket, signal);
    // without an answer Kamailio is up all the same: companion spoke with it, and nothing refused
    await untilSipAnswers(sip, signal);
  };
  return {
    up: async () => {
      const late = setTimeout(() => {
        const hanging = programs.kamailio === undefined ? 'companion' : 'kamailio';
        const sentence = `Kamailio and companion did not find each other within ${START_DEADLINE_MS / 1_000} s; look at ${hanging}.`;
        failure.reject(withTail(sentence, layout.logs[hanging]));
      }, START_DEADLINE_MS);
      try {
        await Promise.race([bringUp(), failure.promise]);
      } finally {
        clearTimeout(late);
      }
      for (const program of Object.values(programs)) program.keepAlive();
    },
    failed: failure.promise,
    pids: () => ({ kamailio: programs.kamailio?.pid ?? 0, companion: programs.companion?.pid ?? 0 }),
    stop: async () => {
      starting.abort();
      await Promise.all(Object.values(programs).map(async (program) => program.stop()));
    },
  };
};
