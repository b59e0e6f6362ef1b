import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { COMPANION_ENTRY, EXAMPLE_CONFIG } from '../../../src/lab/prepare/layout.ts';
import { prepareLab } from '../../../src/lab/prepare/prepare.ts';
import type { Prepared } from '../../../src/lab/prepare/prepare.ts';
import { statusOf } from '../../../src/lab/control.ts';
import { installationSecret, lineSecrets, makeStateDirectory, writeKamailioSecret } from '../../../src/system/index.ts';
import { until } from '../../e2e/kit/companion.ts';

export interface ServerOptions {
  readonly sip: string;
  readonly users?: string;
  /** Changes of the shipped kamailio.cfg. */
  readonly change?: (text: string) => string;
  readonly defines?: readonly string[];
  /** Companion's settings, as YAML. */
  readonly yaml?: string;
}

/** Large enough for 100,000 bans and for thousands of asks a second. */
const MEMORY = ['-m', '256', '-M', '64'];

export interface Running {
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a program in a process group of its own, which ends with us. */
export const startProgram = (command: string, args: readonly string[], log: string): Running => {
  const output = openSync(log, 'a');
  const child = spawn(command, [...args], { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const group = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // nobody left in it
    }
  };
  const orphan = (): void => group('SIGKILL');
  process.once('exit', orphan);
  return {
    pid: child.pid ?? 0,
    async stop(signal = 'SIGTERM') {
      group(signal);
      await Promise.race([ended, sleep(8_000, undefined, { ref: false })]);
      group('SIGKILL');
      await ended;
      process.off('exit', orphan);
    },
  };
};

/** A Kamailio with the shipped configuration and a companion, started and stopped one by one. */
export interface Server {
  readonly prepared: Prepared;
  readonly secrets: { readonly up: string; readonly down: string };
  readonly rpc: KamailioRpc;
  /** Kamailio's log. */
  readonly log: string;
  startKamailio(): Running;
  startCompanion(): Running;
  /** Until companion says that it is connected. */
  connected(): Promise<void>;
  /** Keys in one of Kamailio's tables; undefined while nobody answers. */
  keys(table: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Writes the files, with the secrets that companion would make; starts nothing. */
export const prepareServer = async (options: ServerOptions): Promise<Server> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const yaml = join(folder, 'companion.yaml');
  writeFileSync(yaml, options.yaml ?? '');
  const prepared = await prepareLab({ sip: options.sip, users: options.users, config: yaml, transport: 'datagram' });
  rmSync(folder, { recursive: true, force: true });
  const { layout, line } = prepared;
  makeStateDirectory(layout.state);
  const secrets = lineSecrets(installationSecret(join(layout.state, 'secret')));
  writeKamailioSecret(layout.secrets, secrets);
  const copy = join(layout.directory, 'measured.cfg');
  const shipped = readFileSync(EXAMPLE_CONFIG, 'utf8');
  const changed = options.change?.(shipped) ?? shipped;
  const included = `include_file "${join(dirname(EXAMPLE_CONFIG), 'companion.cfg')}"`;
  writeFileSync(copy, changed.replace('include_file "companion.cfg"', included));
  const defines = (options.defines ?? []).map((words) => `#!define ${words}\n`).join('');
  const text = readFileSync(layout.kamailioConfig, 'utf8')
    .replace('#!define COMPANION_NODE', `${defines}$&`)
    .replace(/include_file "[^"]*\/kamailio\.cfg"/, `include_file "${copy}"`);
  writeFileSync(layout.kamailioConfig, text);
  const rpc = createKamailioRpc({ url: `http://${line.host}:${line.rpc}/RPC`, token: secrets.down });
  const places = ['-f', layout.kamailioConfig, '-w', layout.directory, '-Y', layout.kamailioRun];
  return {
    prepared,
    secrets,
    rpc,
    log: layout.logs.kamailio,
    startKamailio: () => startProgram(prepared.kamailio, ['-DD', '-E', ...places, ...MEMORY], layout.logs.kamailio),
    startCompanion: () =>
      startProgram(process.execPath, [COMPANION_ENTRY, 'run', '--config', layout.config], layout.logs.companion),
    connected: async () => {
      await until(
        'companion and Kamailio have found each other',
        async () => (await statusOf(layout.socket))?.nodes[0]?.state === 'connected',
        30_000,
      );
    },
    keys: async (table) => {
      try {
        const response = await fetch(`http://${line.host}:${line.rpc}/RPC`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-companion-token': secrets.down },
          body: '{"jsonrpc":"2.0","id":1,"method":"htable.stats"}',
          signal: AbortSignal.timeout(2_000),
        });
        const answer = (await response.json()) as { result: readonly { name: string; all: number }[] };
        return answer.result.find(({ name }) => name === table)?.all;
      } catch {
        return undefined;
      }
    },
    async close() {
      await rpc.close();
      rmSync(layout.directory, { recursive: true, force: true });
    },
  };
};
