import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Lab } from '../../../src/lab/index.ts';

/** One key as `htable.dump` and `htable.get` show it. */
interface Item {
  readonly name: string;
  readonly value: string | number;
}

/** How full a table is, and the cap that its owner gives it. */
export type Fill = Readonly<Record<string, number>>;

/** The lab's Kamailio, seen through its guarded RPC door with companion's token. */
export interface Door {
  readonly url: string;
  readonly token: string;
  /** @throws Error with Kamailio's own words, or when nobody answers */
  call<Result = unknown>(method: string, ...params: readonly (string | number)[]): Promise<Result>;
  /** Number of keys in each table. */
  tables(): Promise<Fill>;
  keys(table: string): Promise<ReadonlyMap<string, string | number>>;
  get(table: string, key: string): Promise<string | number | undefined>;
  /** Counters that the script keeps (`c.<name>`), zero when they never counted. */
  counter(name: string): Promise<number>;
  /** Free shared memory in MB, and its share. */
  memory(): Promise<{ readonly freeMb: number; readonly share: number; readonly fragments: number }>;
}

interface NodeConfig {
  readonly nodes: readonly { readonly rpc: string; readonly control: string }[];
  readonly hook: { readonly listen: string; readonly ask_port: number; readonly tell_port: number };
}

/** Where the two programs of a lab speak to each other, and with which secrets. */
export const lineOf = (lab: Lab) => {
  const config = parse(readFileSync(lab.ready.config, 'utf8')) as NodeConfig;
  const secrets = readFileSync(join(lab.ready.state, 'kamailio-secret.cfg'), 'utf8');
  const secret = (name: string): string => new RegExp(`${name} (\\S+)`).exec(secrets)![1]!;
  const [node] = config.nodes;
  const [host, control] = node!.control.split(':') as [string, string];
  return {
    host,
    rpc: node!.rpc,
    control: Number(control),
    ask: config.hook.ask_port,
    tell: config.hook.tell_port,
    up: secret('COMPANION_SECRET_UP'),
    down: secret('COMPANION_SECRET_DOWN'),
  };
};

export const openDoor = (lab: Lab, deadlineMs = 5_000): Door => {
  const { rpc: url, down: token } = lineOf(lab);
  const call = async <Result>(method: string, ...params: readonly (string | number)[]): Promise<Result> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-companion-token': token },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await response.text();
    if (!text.startsWith('{')) throw new Error(`${response.status} ${text.trim()}`);
    const answer = JSON.parse(text) as { result?: Result; error?: { message: string } };
    if (answer.error !== undefined) throw new Error(answer.error.message);
    return answer.result as Result;
  };
  const get: Door['get'] = async (table, key) => {
    try {
      return (await call<{ item: Item }>('htable.get', table, key)).item.value;
    } catch (error) {
      if (error instanceof Error && /doesn't exist/.test(error.message)) return undefined;
      throw error;
    }
  };
  return {
    url,
    token,
    call,
    get,
    async tables() {
      const rows = await call<readonly { name: string; all: number }[]>('htable.stats');
      return Object.fromEntries(rows.map(({ name, all }) => [name, all]));
    },
    async keys(table) {
      const rows = await call<readonly { slot: readonly Item[] }[]>('htable.dump', table);
      return new Map(rows.flatMap(({ slot }) => slot.map(({ name, value }) => [name, value] as const)));
    },
    counter: async (name) => Number((await get('companion_meta', `c.${name}`)) ?? 0),
    async memory() {
      const { total, free, fragments } = await call<Record<'total' | 'free' | 'fragments', number>>('core.shmmem');
      return { freeMb: Math.round((free / 1_048_576) * 10) / 10, share: free / total, fragments };
    },
  };
};
