import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTRY, until } from './companion.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of the service's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string; readonly msg?: string };

/** `companion run` as an operator starts it: without a lab, and without a Kamailio unless `yaml` names one. */
export interface Service {
  readonly host: string;
  readonly state: string;
  /** `token` is there once it has started. */
  readonly ready: { readonly socket: string; readonly api: string; readonly token: string };
  /** Starts it and waits for its end or its first line `companion started`. @returns its exit code, or undefined when it runs */
  start(yaml?: string): Promise<number | undefined>;
  /** Everything that it wrote, in this life. */
  output(): string;
  log(): readonly LogLine[];
  pid(): number;
  /** Ends it. @returns its exit code */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  /** `companion …` at its control socket. */
  command(...args: readonly string[]): Promise<Ran>;
  /** Ends it and takes its directory away. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** Own loopback address: nobody else's ports are in the way. */
  readonly host: string;
  /** Where its state is; a directory of its own else. */
  readonly state?: string;
  /** Runs it through this, e.g. `['nsenter', …]`. */
  readonly through?: readonly string[];
}

/** A second on idle cores; five start beside each other. */
const START_MS = 60_000;

export const prepareService = ({ host, state, through = [] }: ServiceOptions): Service => {
  const folder = mkdtempSync(join(tmpdir(), 'service-'));
  const places = {
    state: state ?? join(folder, 'state'),
    ready: {
      socket: join(folder, 'companion.sock'),
      api: `http://${host}:2020`,
      get token() {
        return readFileSync(join(places.state, 'token'), 'utf8').trim();
      },
    },
  };
  if (state === undefined) mkdirSync(places.state, { mode: 0o700 });
  const config = join(folder, 'companion.yaml');
  const base = [
    `state_dir: ${places.state}`,
    `socket: ${places.ready.socket}`,
    `http: { listen: ${host}:2020 }`,
    `hook: { listen: ${host} }`,
  ];
  let child: ChildProcess | undefined;
  let said = '';
  const [program, ...before] = [...through, process.execPath];
  const ended = (): boolean => child === undefined || child.exitCode !== null || child.signalCode !== null;

  const service: Service = {
    host,
    ...places,
    async start(yaml = '') {
      const own = base.filter((line) => !new RegExp(`^${line.split(':')[0]}:`, 'm').test(yaml));
      const nodes = /^nodes:/m.test(yaml) ? [] : ['nodes: []'];
      writeFileSync(config, [...own, ...nodes, yaml, ''].join('\n'));
      said = '';
      const started = spawn(program, [...before, ENTRY, 'run', '--config', config], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child = started;
      const closed = once(started, 'close');
      await until('it runs or ends', () => ended() || said.includes('companion started'), START_MS);
      if (!ended()) return undefined;
      await closed;
      return started.exitCode ?? -1;
    },
    output: () => said,
    log: () =>
      said
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as LogLine),
    pid: () => child?.pid ?? 0,
    async end(signal = 'SIGTERM') {
      if (child === undefined || ended()) return child?.exitCode ?? null;
      const closed = once(child, 'close');
      child.kill(signal);
      await closed;
      return child.exitCode;
    },
    command: async (...args) =>
      new Promise((resolve) => {
        const all = [ENTRY, ...args, '--socket', places.ready.socket];
        execFile(process.execPath, all, { timeout: 20_000 }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code ?? 99), stdout, stderr });
        });
      }),
    async close() {
      await service.end('SIGKILL');
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
  return service;
};
