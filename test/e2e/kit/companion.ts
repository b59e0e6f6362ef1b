import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../../src/cli/client.ts';
import type { Lab } from '../../../src/lab/index.ts';

/** The command `companion`. */
export const ENTRY = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Where a companion is reached: of a lab, or of a cluster. */
export interface Reached {
  readonly ready: Pick<Lab['ready'], 'socket' | 'api' | 'token'>;
}

/** Asks a companion one thing on its control socket. @throws Error with its code and sentence */
export const operate = async <Result = unknown>(lab: Reached, method: string, params: object = {}): Promise<Result> =>
  new Promise((resolve, reject) => {
    const socket = connect(lab.ready.socket);
    let text = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error(`${method}: no answer within 10 s`)));
    socket.on('error', reject);
    socket.on('close', () => {
      reject(new Error(`${method}: the line was closed`));
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      const answer = JSON.parse(text) as { result?: Result; error?: { message: string } };
      if (answer.error === undefined) resolve(answer.result as Result);
      else reject(new Error(JSON.stringify(answer.error)));
      socket.destroy();
    });
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`);
  });

/** All pages of a list: `ban.list`, `allow.list`, `deny.list`. */
export const listOf = async <Row>(
  lab: Reached,
  method: 'ban.list' | 'allow.list' | 'deny.list' | 'feed.list',
): Promise<readonly Row[]> => {
  const client = createClient(connect(lab.ready.socket), lab.ready.socket);
  try {
    return await client.list<Row>(method);
  } finally {
    client.close();
  }
};

/** Runs `companion …` against a lab, as an operator does. */
export const command = async (
  lab: Reached,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve) => {
    const all = [ENTRY, ...args, '--socket', lab.ready.socket];
    execFile(process.execPath, all, { timeout: 20_000, maxBuffer: 64_000_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 99), stdout, stderr });
    });
  });

/** Metrics by name and labels as they stand in the exposition, e.g. `companion_ledger{kind="ban"}`. */
export type Metrics = ReadonlyMap<string, number>;

export const readMetrics = async (lab: Reached): Promise<Metrics> => {
  const response = await fetch(`${lab.ready.api}/metrics`, {
    headers: { authorization: `Bearer ${lab.ready.token}` },
    signal: AbortSignal.timeout(5_000),
  });
  const lines = (await response.text()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
};

/** The metrics of one family by the value of their last label: `companion_tables` → `{sources: 3, …}`. */
export const family = (metrics: Metrics, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...metrics]
      .filter(([key]) => key.startsWith(`${name}{`))
      .map(([key, value]) => [/"([^"]*)"\}$/.exec(key)?.[1] ?? key, value]),
  );

/** Resident memory of a process in MB; NaN when it is gone. */
export const residentMb = (pid: number): number => {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024);
  } catch {
    return Number.NaN;
  }
};

export const logOf = (lab: Lab, program: 'kamailio' | 'companion'): string =>
  readFileSync(join(lab.directory, `${program}.log`), 'utf8');

/** Waits until `check` is true. @returns milliseconds that it took */
export const until = async (
  what: string,
  check: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
  everyMs = 20,
): Promise<number> => {
  const began = performance.now();
  for (;;) {
    if (await check()) return Math.round(performance.now() - began);
    if (performance.now() - began > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(everyMs);
  }
};

/** Figures for whoever reads the run: `[flood] shm free 61.2 MB`. */
export const figure = (title: string, values: Readonly<Record<string, unknown>>): void => {
  const text = Object.entries(values).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  process.stdout.write(`  [${title}] ${text.join('  ')}\n`);
};
