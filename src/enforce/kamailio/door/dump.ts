import { field, listOf } from './answer.ts';
import { RpcError } from './rpc.ts';
import type { KamailioRpc } from './rpc.ts';

/** One key as `htable.dump` shows it (it shows no end). */
export interface DumpedKey {
  readonly key: string;
  readonly value: string | number;
}

/**
 * Between two slots of a dump. It cannot stand inside a JSON string, where a quote always follows a backslash.
 */
const SEAM = '},{"entry":';
const HEAD = /^\{"jsonrpc":\s*"2\.0",\s*"result":\s*\[/;
/** Characters of slots parsed at once: well below a millisecond. */
const BATCH_CHARS = 64 * 1024;
/** A dump without a seam for so long is not a dump. */
const MAX_PIECE_CHARS = 8 * 1024 * 1024;

const keyOf = (item: unknown): DumpedKey | undefined => {
  const [key, value] = [field(item, 'name'), field(item, 'value')];
  const isWhole = typeof key === 'string' && (typeof value === 'string' || typeof value === 'number');
  return isWhole ? { key, value } : undefined;
};

/** Reads the result of a dump that was parsed as a whole. */
export const keysOfSlots = (slots: unknown): DumpedKey[] => {
  const items = listOf(slots).flatMap((one) => listOf(field(one, 'slot')));
  return items.map(keyOf).filter((key) => key !== undefined);
};

/** Reads `{"entry":…,"slot":[…]},{…}`. @throws RpcError */
const parseSlots = (text: string): DumpedKey[] => {
  let slots: unknown;
  try {
    slots = JSON.parse(`[${text}]`);
  } catch (cause) {
    throw new RpcError('garbage', 'htable.dump: the answer is not JSON.', 0, cause);
  }
  return keysOfSlots(slots);
};

/**
 * Walks one table without ever holding the whole dump: 100 k keys are 9 MB, and parsing them at once would keep
 * requests waiting. Includes keys that have expired but are not swept yet.
 * @throws RpcError also when the dump is too large for Kamailio's memory (it then sends nothing until the deadline)
 */
export async function* dumpTable(rpc: KamailioRpc, table: string): AsyncGenerator<readonly DumpedKey[]> {
  let rest = '';
  let started = false;
  for await (const piece of rpc.stream('htable.dump', [table])) {
    rest += piece;
    if (rest.length > MAX_PIECE_CHARS) throw new RpcError('garbage', 'htable.dump: the answer has no end.');
    if (!started) {
      if (!rest.includes('[') && !rest.includes('"error"')) continue;
      const head = HEAD.exec(rest);
      if (head === null) break;
      rest = rest.slice(head[0].length);
      started = true;
    }
    for (let end = 0; rest.length > BATCH_CHARS; rest = rest.slice(end)) {
      const seam = rest.indexOf(SEAM, BATCH_CHARS / 2);
      if (seam < 0) break;
      end = seam + 2;
      yield parseSlots(rest.slice(0, seam + 1));
    }
  }
  const end = rest.lastIndexOf(']');
  if (!started || end < 0) throw new RpcError('garbage', 'htable.dump: Kamailio did not send a table.');
  if (end > 0) yield parseSlots(rest.slice(0, end));
}
