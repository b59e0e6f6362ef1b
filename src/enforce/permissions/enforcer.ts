import type { Change, Clock, Enforcer, Entry, NodeStatus } from '../../model/index.ts';
import { createRounds } from '../../system/index.ts';
import { RpcError } from '../kamailio/door/rpc.ts';
import type { KamailioRpc } from '../kamailio/door/rpc.ts';
import type { EnforcerLog } from '../kamailio/enforcer.ts';
import type { AddressBook } from './book.ts';
import { differenceOf, isLoaded, readHeld, sentencesOf } from './held.ts';
import { rowsOf } from './rows.ts';
import type { Groups, Row } from './rows.ts';

export interface PermissionsOptions {
  /** Of the server. */
  readonly name: string;
  /** Its guarded door; closed by whoever opened it. */
  readonly rpc: KamailioRpc;
  readonly book: AddressBook;
  readonly groups: Groups;
  readonly clock: Clock;
  readonly log: EnforcerLog;
  /** The ledger's allow and deny entries, or what of them is enforced. */
  readonly desired: () => Iterable<Entry>;
  /** Milliseconds between two reloads; Kamailio's reload_delta (5 s) refuses earlier ones. */
  readonly spacingMs?: number;
  /** Milliseconds between two comparisons. */
  readonly roundMs?: number;
}

export interface PermissionsEnforcer extends Enforcer {
  poke(): void;
  counters(): Readonly<Record<string, number>>;
}

/** A second more than reload_delta: Kamailio counts in whole seconds. Parallel reloads can crash it. */
const SPACING_MS = 6_000;
const ROUND_MS = 30_000;
/** Many changes at once are one write. */
const GATHER_MS = 200;
/** What a reload did not mend is tried again this often. */
const HOPELESS_MS = 300_000;

/** Keeps two groups of Kamailio's permissions module like the operator's lists: written, reloaded, and looked after. */
export const createPermissionsEnforcer = (options: PermissionsOptions): PermissionsEnforcer => {
  const { name, rpc, book, groups, clock, log, desired } = options;
  const { spacingMs = SPACING_MS, roundMs = ROUND_MS } = options;
  const counts = { writes: 0, reloads: 0, reload_refused: 0, reload_failed: 0, difference: 0 };
  let state: NodeStatus['state'] = 'down';
  let lastError = '';
  let wanted: readonly Row[] = [];
  let left = 0;
  let reloadDue = false;
  let reloadedAt = -Infinity;
  let hopelessUntil = -Infinity;
  let stopped = false;

  const become = (next: NodeStatus['state'], reason: string): void => {
    if (reason !== '' && reason !== lastError)
      log.warn({ node: name, error: reason }, 'permissions: not as it should be');
    state = next;
    lastError = reason;
  };

  /** Right, or what is wrong. @throws RpcError */
  const compare = async (): Promise<string | undefined> => {
    const difference = differenceOf(wanted, await readHeld(rpc), groups, book.place);
    counts.difference = difference === undefined ? 0 : 1;
    if (difference === undefined) hopelessUntil = -Infinity;
    return difference;
  };

  /** One reload, once its time has come. @returns milliseconds to wait for it, 0 when it is done. @throws RpcError */
  const reload = async (): Promise<number> => {
    const early = reloadedAt + spacingMs - clock.now();
    if (early > 0) return early;
    reloadedAt = clock.now();
    try {
      await rpc.call('permissions.addressReload', [], { slow: true });
    } catch (error) {
      if (!(error instanceof RpcError) || error.failure !== 'rpc') throw error;
      if (/ongoing reload/i.test(error.message)) {
        counts.reload_refused += 1;
        return spacingMs;
      }
      counts.reload_failed += 1;
      throw new Error(
        `${error.message}. Kamailio keeps the addresses it had; look for a wrong line in ${book.place}.`,
        {
          cause: error,
        },
      );
    }
    counts.reloads += 1;
    reloadDue = false;
    return 0;
  };

  /** Writes, reloads, compares. @returns when to look again */
  const look = async (): Promise<number> => {
    const { rows, left: tooMany } = rowsOf(desired(), groups, clock.now());
    wanted = rows;
    left = tooMany;
    if (await book.write(rows)) {
      counts.writes += 1;
      reloadDue = true;
    }
    if (!(await isLoaded(rpc))) {
      become('degraded', 'This Kamailio has no permissions module: define COMPANION_PERMISSIONS (kamailio/README.md).');
      return roundMs;
    }
    if (!reloadDue) {
      const difference = await compare();
      if (difference === undefined) return settled();
      if (clock.now() < hopelessUntil) return roundMs;
      reloadDue = true;
    }
    const wait = await reload();
    if (wait > 0) return wait;
    const difference = await compare();
    if (difference === undefined) {
      log.info({ node: name, rows: rows.length }, 'permissions: the lists are loaded');
      return settled();
    }
    hopelessUntil = clock.now() + HOPELESS_MS;
    become('degraded', difference);
    return roundMs;
  };

  const settled = (): number => {
    become(left > 0 ? 'degraded' : 'connected', left > 0 ? `${left} list entries are more than permissions gets.` : '');
    return roundMs;
  };

  const lookOrSay = async (): Promise<number> => {
    try {
      return await look();
    } catch (error) {
      const isAway = error instanceof RpcError && (error.failure === 'unreachable' || error.failure === 'timeout');
      if (!stopped) become(isAway ? 'down' : 'degraded', error instanceof Error ? error.message : String(error));
      return Math.min(roundMs, spacingMs);
    }
  };

  const rounds = createRounds({ look: lookOrSay, roundMs, soonMs: GATHER_MS });
  rounds.within(0);

  return {
    name,
    apply(changes: readonly Change[]) {
      if (changes.some(({ entry }) => entry.kind === 'allow' || entry.kind === 'deny')) rounds.within(GATHER_MS);
    },
    poke: () => rounds.within(GATHER_MS),
    async holds(ip) {
      return (await isLoaded(rpc)) ? sentencesOf(await readHeld(rpc), ip, groups) : [];
    },
    status() {
      const allow = wanted.filter(({ group }) => group === groups.allow).length;
      const entries = { permissions_allow: allow, permissions_deny: wanted.length - allow, permissions_left: left };
      return { name, state, version: '', uptimeSeconds: 0, entries, drift: counts.difference, lastError };
    },
    counters: () =>
      Object.fromEntries(Object.entries(counts).map(([counter, value]) => [`permissions_${counter}`, value])),
    async stop() {
      stopped = true;
      await rounds.stop();
    },
  };
};
