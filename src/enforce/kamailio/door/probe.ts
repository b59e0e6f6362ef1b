import { field, listOf, numberOf } from './answer.ts';
import { keysOfSlots } from './dump.ts';
import type { DumpedKey } from './dump.ts';
import { TABLES } from '../keys.ts';
import type { Table } from '../keys.ts';
import { RpcError } from './rpc.ts';
import type { KamailioRpc } from './rpc.ts';

/** What one round learns before it compares anything. */
export interface Pulse {
  /** Changes when Kamailio restarts; empty when nothing tells. */
  readonly boot: string;
  readonly uptimeSeconds: number;
  /** Number of network keys that the script believes in; undefined when the table does not say. */
  readonly nets: number | undefined;
  /** Kamailio's own counters, `c.<name>`. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Counters read from `companion_meta`; the rest is ignored. */
const MAX_COUNTERS = 500;

/** A small table, read as a whole; none at all in a Kamailio without companion.cfg. */
const readWords = async (rpc: KamailioRpc): Promise<readonly DumpedKey[]> => {
  try {
    return keysOfSlots(await rpc.call('htable.dump', ['companion_meta']));
  } catch (error) {
    if (error instanceof RpcError && error.failure === 'rpc') return [];
    throw error;
  }
};

/**
 * `core.uptime` and the words of `companion_meta`. A Kamailio without that table still has its start time (`up_since`,
 * to the second).
 * @throws RpcError
 */
export const readPulse = async (rpc: KamailioRpc): Promise<Pulse> => {
  const [uptime, words] = await Promise.all([rpc.call('core.uptime'), readWords(rpc)]);
  const since = field(uptime, 'up_since');
  if (typeof since !== 'string') throw new RpcError('garbage', 'core.uptime: the answer has no up_since.');
  const counters = words.filter(({ key }) => key.startsWith('c.')).slice(0, MAX_COUNTERS);
  const word = words.find(({ key }) => key === 'boot')?.value ?? '';
  const nets = words.find(({ key }) => key === 'nets')?.value;
  return {
    boot: `${since} ${word}`,
    uptimeSeconds: numberOf(field(uptime, 'uptime')),
    nets: typeof nets === 'number' ? nets : undefined,
    counters: Object.fromEntries(counters.map(({ key, value }) => [key, numberOf(value)])),
  };
};

/** `kamailio 5.6.3 (x86_64/linux)` as `5.6.3`. */
export const readVersion = async (rpc: KamailioRpc): Promise<string> => {
  const text = String(await rpc.call('core.version')).slice(0, 100);
  return /\d+\.\d+\.\d+\S*/.exec(text)?.[0] ?? text.trim();
};

/** Free part of the shared memory, 0 … 1. */
export const readFreeMemory = async (rpc: KamailioRpc): Promise<number> => {
  const memory = await rpc.call('core.shmmem');
  const total = numberOf(field(memory, 'total'));
  return total > 0 ? numberOf(field(memory, 'free')) / total : 1;
};

/** Number of keys in each table; expired ones count until Kamailio's timer sweeps them (20 s). */
export const readCounts = async (rpc: KamailioRpc): Promise<ReadonlyMap<string, number>> => {
  const stats = await rpc.call('htable.stats');
  const counts = new Map<string, number>();
  for (const row of listOf(stats)) {
    counts.set(String(field(row, 'name')), numberOf(field(row, 'all')));
  }
  return counts;
};

/**
 * Tables that must not be written, with the reason as a sentence. In a table without autoexpire the end of a key is
 * stored wrongly and the key never goes away: a ban without end.
 */
export const readUnusable = async (rpc: KamailioRpc): Promise<ReadonlyMap<Table, string>> => {
  const list = await rpc.call('htable.listTables');
  const rows = listOf(list);
  const unusable = new Map<Table, string>();
  for (const table of TABLES) {
    const row = rows.find((one) => field(one, 'name') === table);
    if (row === undefined) unusable.set(table, `Kamailio has no htable '${table}': include companion.cfg.`);
    else if (numberOf(field(row, 'expire')) <= 0) {
      unusable.set(
        table,
        `The htable '${table}' has no autoexpire: bans in it would never end. Add autoexpire=3600 to its definition.`,
      );
    }
  }
  return unusable;
};

export interface HeldKey {
  readonly value: unknown;
  /** As Kamailio writes it, in its own local time; `NEVER`, or empty when it does not say. */
  readonly expire: string;
}

/** One key, or undefined when it does not stand. @throws RpcError */
export const readKey = async (rpc: KamailioRpc, table: string, key: string): Promise<HeldKey | undefined> => {
  try {
    const item = field(await rpc.call('htable.get', [table, key]), 'item');
    const expire = field(item, 'expire');
    return item === undefined
      ? undefined
      : { value: field(item, 'value'), expire: typeof expire === 'string' ? expire : '' };
  } catch (error) {
    if (error instanceof RpcError && error.failure === 'rpc') return undefined;
    throw error;
  }
};
