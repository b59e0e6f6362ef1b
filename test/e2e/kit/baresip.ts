import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BaresipOptions {
  /** Address of this machine that it listens at (and sends from over UDP). */
  readonly ip: string;
  readonly sipPort: number;
  readonly server: { readonly ip: string; readonly port: number };
  readonly user: string;
  readonly password: string;
  readonly transport: 'udp' | 'tcp';
}

/** The real baresip without a terminal or sound card: registers by itself, answers every call. */
export interface Baresip {
  /** Types of the events that it reported, in order: `REGISTER_OK`, `CALL_ESTABLISHED` … */
  events(): readonly string[];
  /** The SIP messages that it sent and received, and its own words. */
  trace(): string;
  /** `dial`, `hold`, `resume`, `hangup` … */
  command(name: string, params?: string): void;
  stop(): Promise<void>;
}

const CONTROL_PORT = 4_444;
const MODULES = '/usr/lib/baresip/modules';

const configOf = ({ ip, sipPort }: BaresipOptions): string => `poll_method epoll
sip_listen ${ip}:${sipPort}
net_interface ${ip}
audio_player aubridge,a
audio_source aubridge,a
audio_alert aubridge,r
module_path ${MODULES}
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen ${ip}:${CONTROL_PORT}
`;

/** Takes whole netstrings off the front of what has arrived. */
const readNetstrings = (text: string): { readonly values: string[]; readonly rest: string } => {
  const values: string[] = [];
  let rest = text;
  for (;;) {
    const [head, digits = ''] = /^(\d{1,7}):/.exec(rest) ?? [];
    if (head === undefined || rest.length < head.length + Number(digits) + 1) return { values, rest };
    values.push(rest.slice(head.length, head.length + Number(digits)));
    rest = rest.slice(head.length + Number(digits) + 1);
  }
};

const connected = async (ip: string): Promise<Socket> => {
  for (let tries = 0; ; tries += 1) {
    const socket = connect(CONTROL_PORT, ip);
    const ok = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (ok) return socket;
    if (tries === 100) throw new Error(`baresip at ${ip} did not start`);
    await sleep(50);
  }
};

export const startBaresip = async (options: BaresipOptions): Promise<Baresip> => {
  const { ip, server, user, password, transport } = options;
  const folder = mkdtempSync(join(tmpdir(), 'baresip-'));
  writeFileSync(join(folder, 'config'), configOf(options));
  writeFileSync(join(folder, 'contacts'), '');
  const account = `<sip:${user}@${server.ip}:${server.port};transport=${transport}>;auth_user=${user}`;
  writeFileSync(join(folder, 'accounts'), `${account};auth_pass=${password};regint=60;answermode=auto\n`);
  const child = spawn('baresip', ['-f', folder, '-s'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  let trace = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      trace += chunk.toString('latin1');
    });
  const control = await connected(ip);
  const events: string[] = [];
  let pending = '';
  control.on('error', () => undefined);
  control.on('data', (chunk: Buffer) => {
    const { values, rest } = readNetstrings(pending + chunk.toString('latin1'));
    pending = rest;
    for (const value of values) {
      const { type } = JSON.parse(value) as { type?: string };
      if (type !== undefined) events.push(type);
    }
  });
  return {
    events: () => events,
    trace: () => trace,
    command: (name, params = '') => {
      const text = JSON.stringify({ command: name, params, token: name });
      control.write(`${Buffer.byteLength(text)}:${text},`);
    },
    stop: async () => {
      control.destroy();
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await ended;
      clearTimeout(late);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
