import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { createKamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import type { KamailioRpc } from '../../../src/enforce/kamailio/door/rpc.ts';
import { statusOf } from '../../../src/lab/control.ts';
import { prepareLab } from '../../../src/lab/prepare/prepare.ts';
import type { Prepared } from '../../../src/lab/prepare/prepare.ts';
import type { NodeStatus, StatusReport } from '../../../src/model/index.ts';
import { startProgram } from '../../bench/server/server.ts';
import type { Running } from '../../bench/server/server.ts';
import { ENTRY, operate, until } from './companion.ts';
import type { Reached } from './companion.ts';

export interface ServerSpec {
  readonly name: string;
  /** `127.81.7.1:15060`. */
  readonly sip: string;
  /** As companion's configuration has it. */
  readonly secret: string;
  /** Answers nobody who is not known there. */
  readonly allowlistOnly?: true;
}

/** One of several real Kamailios. */
export interface ClusterServer {
  readonly name: string;
  readonly server: { readonly ip: string; readonly port: number };
  readonly rpc: KamailioRpc;
  /** The include file that companion wrote for it. */
  readonly secretFile: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  get(table: string, key: string): Promise<unknown>;
  /** Keys of a table; -1 while it does not answer. */
  count(table: string): Promise<number>;
}

/** Several real Kamailios on one companion, each with a name and a secret of its own. */
export interface Cluster extends Reached {
  readonly servers: readonly ClusterServer[];
  readonly companionPid: number;
  /** Where companion hears what servers tell. */
  readonly tellPort: number;
  node(name: string): Promise<NodeStatus>;
  connected(...names: readonly string[]): Promise<number>;
  stop(): Promise<void>;
}

/** Room for 100,000 keys. */
const MEMORY = ['-m', '128', '-M', '64'];

const serverOf = (spec: ServerSpec, prepared: Prepared, first: Prepared): ClusterServer => {
  const { layout, line, sip, kamailio } = prepared;
  const secretFile = join(first.layout.state, `kamailio-secret-${spec.name}.cfg`);
  const text = readFileSync(layout.kamailioConfig, 'utf8')
    .replace('COMPANION_NODE kamailio', `COMPANION_NODE ${spec.name}`)
    .replace(/COMPANION_ASK_PORT \d+/, `COMPANION_ASK_PORT ${first.line.ask}`)
    .replace(/COMPANION_TELL_PORT \d+/, `COMPANION_TELL_PORT ${first.line.tell}`)
    .replace(layout.secrets, secretFile);
  writeFileSync(layout.kamailioConfig, text);
  let running: Running | undefined;
  let rpc: KamailioRpc | undefined;
  const door = (): KamailioRpc => {
    const token = /COMPANION_SECRET_DOWN (\S+)/.exec(readFileSync(secretFile, 'utf8'))![1]!;
    return (rpc ??= createKamailioRpc({ url: `http://${line.host}:${line.rpc}/RPC`, token }));
  };
  const count = async (table: string): Promise<number> => {
    try {
      const rows = (await door().call('htable.stats')) as readonly { name: string; all: number }[];
      return rows.find(({ name }) => name === table)?.all ?? -1;
    } catch {
      return -1;
    }
  };
  return {
    name: spec.name,
    server: { ip: sip.ip, port: sip.port },
    secretFile,
    get rpc() {
      return door();
    },
    count,
    async get(table, key) {
      try {
        return ((await door().call('htable.get', [table, key])) as { item: { value: unknown } }).item.value;
      } catch {
        return undefined;
      }
    },
    async start() {
      const places = ['-f', layout.kamailioConfig, '-w', layout.directory, '-Y', layout.kamailioRun];
      running = startProgram(kamailio, ['-DD', '-E', ...places, ...MEMORY], layout.logs.kamailio);
      await until(`${spec.name} answers`, async () => (await count('ipban')) >= 0, 10_000);
    },
    async kill() {
      await running?.stop('SIGKILL');
      running = undefined;
    },
  };
};

/**
 * Starts companion, then the servers.
 * @param doubles nodes that are no Kamailio: their RPC is a server of the test
 */
export const startCluster = async (
  specs: readonly ServerSpec[],
  doubles: readonly { readonly name: string; readonly rpc: string }[],
  before: (servers: readonly ClusterServer[]) => void = () => undefined,
): Promise<Cluster> => {
  const prepared: Prepared[] = [];
  for (const { sip } of specs) prepared.push(await prepareLab({ sip, users: 'alice:secret', transport: 'datagram' }));
  const [first] = prepared as [Prepared];
  const settings = parse(readFileSync(first.layout.config, 'utf8')) as Record<string, unknown>;
  const nodes = specs.map(({ name, secret, allowlistOnly = false }, at) => {
    const { host, control, rpc } = prepared[at]!.line;
    return {
      name,
      secret,
      control: `${host}:${control}`,
      rpc: `http://${host}:${rpc}/RPC`,
      allowlist_only: allowlistOnly,
    };
  });
  // nobody listens to what it says to a double
  const more = doubles.map((double) => ({ ...double, control: '127.0.0.1:9' }));
  writeFileSync(first.layout.config, stringify({ ...settings, nodes: [...nodes, ...more] }));
  const servers = specs.map((spec, at) => serverOf(spec, prepared[at]!, first));
  const { layout, line } = first;
  const companion = startProgram(process.execPath, [ENTRY, 'run', '--config', layout.config], layout.logs.companion);
  const stop = async (): Promise<void> => {
    await Promise.all([companion.stop(), ...servers.map(async (server) => server.kill())]);
    for (const { layout: its } of prepared) rmSync(its.directory, { recursive: true, force: true });
  };
  try {
    await until('companion runs', async () => (await statusOf(layout.socket)) !== undefined, 15_000);
    before(servers);
    await Promise.all(servers.map(async (server) => server.start()));
  } catch (error) {
    const log = readFileSync(layout.logs.companion, 'utf8').slice(-2_000);
    await stop();
    throw new Error(`${String(error)}\n${log}`);
  }
  const token = readFileSync(join(layout.state, 'token'), 'utf8').trim();
  const ready = { socket: layout.socket, api: `http://${line.host}:${line.http}`, token };
  const node = async (name: string): Promise<NodeStatus> =>
    (await operate<StatusReport>({ ready }, 'status')).nodes.find((one) => one.name === name)!;
  return {
    ready,
    servers,
    companionPid: companion.pid,
    tellPort: line.tell,
    node,
    connected: async (...names) =>
      until(`${names.join(', ')} connected`, async () => {
        const states = await Promise.all(names.map(async (name) => (await node(name)).state));
        return states.every((state) => state === 'connected');
      }),
    stop,
  };
};
