import { spawn } from 'node:child_process';
import { findProgram } from '../prepare/layout.ts';

export interface SvwarResult {
  /** Extensions that its table lists. */
  readonly learned: readonly string[];
  /** What it says last. */
  readonly verdict: string;
}

const MAX_OUTPUT = 200_000;

/** A line of svwar's result: `| 120       | reqauth        |`. */
const ROW = /^\|\s*([\w+.-]{1,40})\s*\|\s*\w+/;

const readResult = (output: string): SvwarResult => {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const learned = lines.flatMap((line) => {
    const name = ROW.exec(line)?.[1];
    return name === undefined || name === 'Extension' ? [] : [name];
  });
  return { learned, verdict: (lines.at(-1) ?? '').replace(/^\w+:\w+:/, '') };
};

/** Runs the real svwar to its end, or to the deadline. */
export const runSvwar = async (options: {
  readonly target: string;
  readonly port: number;
  readonly domain: string;
  readonly extensions: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}): Promise<SvwarResult> => {
  const where = [`--domain=${options.domain}`, '-p', String(options.port), options.target];
  const child = spawn(findProgram('svwar'), ['-m', 'REGISTER', '-e', options.extensions, '--force', ...where], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.signal,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk.toString('latin1');
    });
  }
  // it prints what it has found so far when it is interrupted
  const timers = [
    setTimeout(() => child.kill('SIGINT'), options.deadlineMs),
    setTimeout(() => child.kill('SIGKILL'), options.deadlineMs + 1_000),
  ];
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('close', () => {
        resolve();
      });
      child.once('error', reject);
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
  return readResult(output);
};
