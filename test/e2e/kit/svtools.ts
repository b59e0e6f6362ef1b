import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openUdp } from './udp-client.ts';

const MAX_OUTPUT = 400_000;

/** A row of the tables that svwar and svcrack end with: `| 120       | reqauth        |`. */
const ROW = /^\|\s*([\w+.-]{1,40})\s*\|\s*(\S.*?)\s*\|/;

export interface ToolResult {
  /** First column → second column of its table: extension → authentication, extension → password. */
  readonly found: ReadonlyMap<string, string>;
  readonly output: string;
}

const readRows = (output: string): Map<string, string> => {
  const rows = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [, name, value] = ROW.exec(line) ?? [];
    if (name !== undefined && value !== undefined && name !== 'Extension') rows.set(name, value);
  }
  return rows;
};

/** Runs svwar or svcrack to its end, or until the deadline; it prints what it has found when it is interrupted. */
export const runTool = async (
  tool: 'svwar' | 'svcrack',
  args: readonly string[],
  deadlineMs = 15_000,
): Promise<ToolResult> => {
  const child = spawn(tool, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, COLUMNS: '160' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk.toString('latin1');
    });
  }
  const timers = [
    setTimeout(() => child.kill('SIGINT'), deadlineMs),
    setTimeout(() => child.kill('SIGKILL'), deadlineMs + 3_000),
  ];
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', reject);
  });
  for (const timer of timers) clearTimeout(timer);
  return { found: readRows(output), output };
};

/** Between a tool and the server: gives the tool an address of its own (its -b has no effect) and notes everything. */
export interface Relay {
  /** Where the tool is to be pointed. */
  readonly ip: string;
  readonly port: number;
  readonly sent: readonly string[];
  readonly answers: readonly string[];
  close(): void;
}

export const openRelay = async (ip: string, server: { readonly ip: string; readonly port: number }): Promise<Relay> => {
  const outside = await openUdp(ip, server);
  const inside = createSocket('udp4');
  const listening = once(inside, 'listening');
  inside.bind({ address: ip, port: 0 });
  await listening;
  inside.on('error', () => undefined);
  const sent: string[] = [];
  const answers: string[] = [];
  let tool: { readonly address: string; readonly port: number } | undefined;
  inside.on('message', (datagram, from) => {
    tool = from;
    sent.push(datagram.toString('latin1'));
    void outside.send(datagram);
  });
  outside.listen((text) => {
    answers.push(text);
    if (tool !== undefined) inside.send(Buffer.from(text, 'latin1'), tool.port, tool.address);
  });
  return {
    ip,
    port: inside.address().port,
    sent,
    answers,
    close: () => {
      inside.close();
      outside.close();
    },
  };
};
