import { canonicalIp, identityOf } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import { readKey } from './door/probe.ts';
import type { KamailioRpc } from './door/rpc.ts';

/** A ban in the server's own table that is not ours. */
export interface ForeignKey {
  /** Identity of the address that the key names; the key itself when it names none. */
  readonly subject: string;
  readonly key: string;
  readonly value: string;
}

const MAX_FOREIGN = 100_000;
const CHECKS_AT_ONCE = 16;
/** So long a key that has ended may still be counted and dumped, until Kamailio's timer takes it out (seen: 19.3 s). */
const SWEEP_GRACE_MS = 25_000;

export interface ForeignOptions {
  readonly rpc: KamailioRpc;
  readonly clock: Clock;
  readonly onForeign: (found: readonly ForeignKey[]) => void;
  readonly onForeignGone: (keys: readonly string[]) => void;
}

export interface ForeignKeys {
  /** As last seen in `ipban`; what has ended is counted until Kamailio has taken it out. */
  readonly known: ReadonlyMap<string, string>;
  /** What a walk saw: the first `MAX_FOREIGN` are enough. */
  adopt(seen: ReadonlyMap<string, string>): void;
  /** Forgets the keys of a subject; they are reported anew if they return. */
  disown(subject: string): readonly { readonly key: string; readonly value: string }[];
  /** Asks for so many of them, in turn: has one gone, or come back? @throws RpcError */
  check(limit: number): Promise<void>;
}

/** `203.0.113.9`, `2001:db8::5` (as stock scripts write it) or our own 16 digits, as an identity. */
const subjectOfKey = (key: string): string => {
  const digits = /^[0-9a-f]{16}$/.test(key) ? `${key.replaceAll(/(.{4})/g, '$1:')}:` : key;
  const ip = canonicalIp(digits);
  return ip === undefined ? key : identityOf(ip);
};

export const mayTakeForeign = (seen: ReadonlyMap<string, string>): boolean => seen.size < MAX_FOREIGN;

/** Remembers what others put into `ipban`, and tells what came and what went. */
export const createForeignKeys = ({ rpc, clock, onForeign, onForeignGone }: ForeignOptions): ForeignKeys => {
  const known = new Map<string, string>();
  /** Known keys that are told to be gone, and since when. */
  const ended = new Map<string, number>();
  let turn: Iterator<string> | undefined;

  const tell = (found: readonly ForeignKey[], gone: readonly string[]): void => {
    // what went first: another key of the same subject may stand
    if (gone.length > 0) onForeignGone(gone);
    if (found.length > 0) onForeign(found);
  };

  const nextKey = (): string | undefined => {
    const next = (turn ??= known.keys()).next();
    if (next.done !== true) return next.value;
    turn = undefined;
    return undefined;
  };

  return {
    known,
    adopt(seen) {
      const found: ForeignKey[] = [];
      for (const [key, value] of seen) if (!known.has(key)) found.push({ subject: subjectOfKey(key), key, value });
      // beyond the cap nobody knows what has gone
      const isWhole = mayTakeForeign(seen);
      const gone = isWhole ? [...known.keys()].filter((key) => !seen.has(key) && !ended.has(key)) : [];
      known.clear();
      for (const [key, value] of seen) known.set(key, value);
      for (const key of ended.keys()) if (!known.has(key)) ended.delete(key);
      turn = undefined;
      tell(found, gone);
    },
    disown(subject) {
      const keys: { key: string; value: string }[] = [];
      for (const [key, value] of known) {
        if (subjectOfKey(key) !== subject) continue;
        known.delete(key);
        ended.delete(key);
        keys.push({ key, value });
      }
      return keys;
    },
    async check(limit) {
      let left = limit;
      const found: ForeignKey[] = [];
      const gone: string[] = [];
      const worker = async (): Promise<void> => {
        while (left-- > 0) {
          const key = nextKey();
          if (key === undefined) return;
          const held = await readKey(rpc, 'ipban', key);
          if (!known.has(key)) continue;
          const since = ended.get(key);
          if (held !== undefined && since !== undefined) {
            ended.delete(key);
            found.push({ subject: subjectOfKey(key), key, value: String(held.value) });
          } else if (held === undefined && since === undefined) {
            ended.set(key, clock.now());
            gone.push(key);
          } else if (since !== undefined && clock.now() - since > SWEEP_GRACE_MS) {
            known.delete(key);
            ended.delete(key);
          }
        }
      };
      try {
        await Promise.all(Array.from({ length: Math.min(CHECKS_AT_ONCE, known.size) }, worker));
      } finally {
        tell(found, gone);
      }
    },
  };
};
