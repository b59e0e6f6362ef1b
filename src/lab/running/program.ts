import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError, withTail } from '../problem.ts';

export type ProgramName = 'kamailio' | 'companion';

export interface ProgramOptions {
  readonly name: ProgramName;
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  /** Asks whether it runs again after a restart. */
  readonly answers: () => Promise<boolean>;
  readonly restarted: (pid: number) => void;
  /** It cannot be kept running. */
  readonly gaveUp: (error: LabError) => void;
}

/** A program that is started again a second after it dies. */
export interface Program {
  readonly pid: number;
  /** From now on a death is followed by a restart; before, it is a failed start. */
  keepAlive(): void;
  stop(): Promise<void>;
}

const RESTART_MS = 1_000;
const STOP_MS = 3_000;
const POLL_MS = 10;
/** This many deaths in this time are a loop. */
const LOOP_DEATHS = 5;
const LOOP_MS = 10_000;

/** Ends what is left of a process group: children of a killed Kamailio live on and hold its ports. */
const killGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // nobody left in it
  }
};

/** Starts a program in a process group of its own, which neither gets the terminal's Ctrl-C nor signals the lab. */
export const startProgram = (options: ProgramOptions): Program => {
  const { name, log } = options;
  const deaths: number[] = [];
  let child: ChildProcess;
  let keep = false;
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;

  const launch = (): void => {
    const output = openSync(log, 'a', 0o600);
    try {
      child = spawn(options.command, options.args, { detached: true, stdio: ['ignore', output, output] });
    } finally {
      closeSync(output);
    }
    const launched = child;
    launched.once('error', (error) => {
      options.gaveUp(new LabError(`Cannot start ${name}: ${error.message}.`));
    });
    launched.once('exit', (code, signal) => {
      died(launched, code === null ? String(signal) : `exit code ${code}`);
    });
  };
  const died = (dead: ChildProcess, how: string): void => {
    if (dead.pid !== undefined) killGroup(dead.pid, 'SIGKILL');
    if (stopping) return;
    if (!keep) {
      options.gaveUp(withTail(`The lab could not start ${name} (${how}).`, log));
      return;
    }
    const now = performance.now();
    deaths.push(now);
    while (now - (deaths[0] ?? now) > LOOP_MS) deaths.shift();
    if (deaths.length >= LOOP_DEATHS) {
      options.gaveUp(
        withTail(
          `The lab gives up: ${name} died ${deaths.length} times within ${LOOP_MS / 1_000} s (last: ${how}).`,
          log,
        ),
      );
      return;
    }
    timer = setTimeout(() => {
      launch();
      void announce(child);
    }, RESTART_MS);
  };
  const announce = async (restarted: ChildProcess): Promise<void> => {
    while (!stopping && restarted.exitCode === null && restarted.signalCode === null) {
      if (await options.answers()) {
        if (!stopping && restarted.pid !== undefined) options.restarted(restarted.pid);
        return;
      }
      await sleep(POLL_MS);
    }
  };

  // should the lab itself fall over
  const orphan = (): void => {
    if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
  };
  process.once('exit', orphan);
  launch();
  return {
    get pid() {
      return child.pid ?? 0;
    },
    keepAlive: () => {
      keep = true;
    },
    stop: async () => {
      stopping = true;
      clearTimeout(timer);
      process.off('exit', orphan);
      const { pid } = child;
      if (pid === undefined) return;
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise<void>((resolve) => {
          child.once('exit', () => {
            resolve();
          });
        });
        const late = setTimeout(() => {
          killGroup(pid, 'SIGKILL');
        }, STOP_MS);
        child.kill('SIGTERM');
        await ended;
        clearTimeout(late);
      }
      killGroup(pid, 'SIGKILL');
    },
  };
};
