import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SippOptions {
  /** Name of a file in `scenarios/`, without `.xml`. */
  readonly scenario: string;
  readonly server: { readonly ip: string; readonly port: number };
  /** Source address. */
  readonly from: string;
  /** `t1`: one TCP connection for all; `tn`: one each; `u1`: UDP. */
  readonly transport: 't1' | 'tn' | 'u1';
  /** Rows of the injection file; one call each. */
  readonly rows: readonly (readonly string[])[];
  readonly perSecond: number;
  readonly deadlineMs?: number;
}

export interface SippResult {
  readonly code: number;
  /** Everything that sipp received, in order. */
  readonly answers: readonly string[];
  readonly output: string;
}

const MAX_OUTPUT = 400_000;

/** Messages of a `-trace_msg` file that were received; sipp writes complaints of its own between them. */
const readReceived = (trace: string): string[] =>
  [...trace.matchAll(/message received \[(\d+)\] bytes :\r?\n\r?\n/g)]
    .map((mark) => trace.slice(mark.index + mark[0].length, mark.index + mark[0].length + Number(mark[1])))
    .flatMap((chunk) => chunk.split(/(?=^SIP\/2\.0 )/m))
    .filter((text) => text.startsWith('SIP/2.0 '));

/** Runs Debian's sipp with one of our scenarios, to its end or to the deadline. */
export const runSipp = async (options: SippOptions): Promise<SippResult> => {
  const { server, deadlineMs = 10_000 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'sipp-'));
  const rows = join(folder, 'rows.csv');
  writeFileSync(rows, `SEQUENTIAL\n${options.rows.map((row) => row.join(';')).join('\n')}\n`);
  const scenario = fileURLToPath(new URL(`scenarios/${options.scenario}.xml`, import.meta.url));
  const trace = join(folder, 'messages.log');
  const pairs: readonly (readonly [flag: string, value: string])[] = [
    ['-sf', scenario],
    ['-inf', rows],
    ['-t', options.transport],
    ['-i', options.from],
    ['-m', String(options.rows.length)],
    ['-r', String(options.perSecond)],
    ['-message_file', trace],
    ['-max_socket', '500'],
    ['-timeout', `${Math.ceil(deadlineMs / 1_000)}s`],
    ['-reconnect_close', 'true'],
  ];
  const args = [`${server.ip}:${server.port}`, ...pairs.flat(), '-trace_msg', '-nostdin', '-timeout_error'];
  const child = spawn('sipp', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk.toString('latin1');
    });
  const late = setTimeout(() => child.kill('SIGKILL'), deadlineMs + 2_000);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('close', (status) => resolve(status ?? -1));
      child.once('error', reject);
    });
    const answers = readdirSync(folder).includes('messages.log') ? readReceived(readFileSync(trace, 'latin1')) : [];
    return { code, answers, output };
  } finally {
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  }
};
