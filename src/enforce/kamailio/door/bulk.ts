import { RpcError } from './rpc.ts';
import type { KamailioRpc, RpcParam } from './rpc.ts';

/** One write: an end and a value for a key, or its deletion. */
export interface Write {
  readonly method: 'htable.setxs' | 'htable.setxi' | 'htable.delete' | 'htable.seti';
  readonly params: readonly RpcParam[];
}

/** Writes in one request. At their longest (190 bytes) they stay below half of Kamailio's read buffer of 16 KB. */
export const MAX_WRITES = 40;
/** Keys under way at once, one by one: enough for 20 k/s, few enough that a ban behind them waits 2 ms. */
const SINGLE_WINDOW = 32;
/** And with the bulk door: three requests of 0.3 ms each. */
const BULK_WINDOW = 3 * MAX_WRITES;

/** What rpc-door.cfg takes, exactly; anything else goes alone. Nothing that it lets through holds the separator. */
const LINE =
  /^\{"jsonrpc":"2\.0","method":"htable\.(?:setxs|setxi|delete)","params":\["(?:ipban|companion_(?:net|state|good))","[0-9A-Za-z.:_-]{1,100}"(?:,(?:"[0-9A-Za-z.:_-]{0,60}"|[0-9]{1,9}),[0-9]{1,9})?\]\}$/;
const SEPARATOR = '|';

const lineOf = ({ method, params }: Write): string => JSON.stringify({ jsonrpc: '2.0', method, params });

export interface BulkWriter {
  /** Writes that make sense in one call: 1 where the door knows no bulk. */
  size(): number;
  /** Keys that may be under way at once. */
  window(): number;
  /** One answer for each, in order: undefined when it was done. Never rejects. */
  write(writes: readonly Write[]): Promise<readonly (RpcError | undefined)[]>;
  /** The server has restarted: its door may know more, or less. */
  forget(): void;
}

/**
 * Many keys in one request: HTTP and its reading are most of what a key costs Kamailio (40 µs alone, 6 in company).
 * The door answers one digit for each; what it did not do is tried alone, so that the error is Kamailio's own. A door
 * without this path (404) gets single calls until it restarts.
 */
export const createBulkWriter = (rpc: KamailioRpc): BulkWriter => {
  let known = true;

  const single = async ({ method, params }: Write): Promise<RpcError | undefined> => {
    try {
      await rpc.write(method, params);
      return undefined;
    } catch (cause) {
      return cause instanceof RpcError ? cause : new RpcError('garbage', String(cause));
    }
  };
  const alone = (writes: readonly Write[]) => Promise.all(writes.map(single));

  const together = async (writes: readonly Write[], body: string): Promise<readonly (RpcError | undefined)[]> => {
    let digits: string;
    try {
      digits = await rpc.text('many', body);
    } catch (cause) {
      if (!(cause instanceof RpcError)) throw cause;
      if (cause.failure !== 'garbage') return writes.map(() => cause);
      // not there, or not understood: whatever was done is done again, one by one
      known = false;
      return alone(writes);
    }
    if (digits.length !== writes.length || !/^[01]*$/.test(digits)) {
      known = false;
      return alone(writes);
    }
    return Promise.all(writes.map(async (write, at) => (digits[at] === '1' ? undefined : single(write))));
  };

  return {
    size: () => (known ? MAX_WRITES : 1),
    window: () => (known ? BULK_WINDOW : SINGLE_WINDOW),
    async write(writes) {
      const lines = known && writes.length > 1 ? writes.map(lineOf) : [];
      if (lines.length === 0 || !lines.every((line) => LINE.test(line))) return alone(writes);
      return together(writes, lines.join(SEPARATOR));
    },
    forget() {
      known = true;
    },
  };
};
