import type { Change, Clock, Enforcer, Entry, NodeStatus } from '../../model/index.ts';
import { createRounds } from '../../system/index.ts';
import type { ForeignKey } from './foreign.ts';
import { readHolds } from './holds.ts';
import { TABLES } from './keys.ts';
import type { Table } from './keys.ts';
import { createLedgerReader } from './ledger.ts';
import { createMirror, DEFAULT_CAPS } from './mirror.ts';
import type { Caps, MirrorChanges } from './mirror.ts';
import { createOutbox } from './outbox.ts';
import { createBulkWriter } from './door/bulk.ts';
import { readFreeMemory, readPulse, readUnusable, readVersion } from './door/probe.ts';
import type { Pulse } from './door/probe.ts';
import { createReconciler } from './reconcile.ts';
import { createWalker } from './walk.ts';
import { createKamailioRpc, RpcError } from './door/rpc.ts';
import type { KamailioRpc } from './door/rpc.ts';

/** The part of a pino logger that is used here. */
export interface EnforcerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface KamailioEnforcerOptions {
  readonly name: string;
  /** The guarded door, e.g. `http://127.0.0.1:27080/RPC`. */
  readonly rpcUrl: string;
  readonly token: string;
  readonly clock: Clock;
  /** The ledger: everything that should be enforced. Must be loaded before: what it does not name is deleted. */
  readonly desired: () => Iterable<Entry>;
  readonly caps?: Partial<Caps>;
  /** Called once for each key in `ipban` that is not ours. */
  readonly onForeign: (found: readonly ForeignKey[]) => void;
  /** Called once for each of those keys that is not there any more, whoever took it out. */
  readonly onForeignGone: (keys: readonly string[]) => void;
  readonly log: EnforcerLog;
  /** First contact, before anything is pushed: the time to read the server's own location table into the ledger. */
  readonly beforeFirstPush?: (rpc: KamailioRpc) => Promise<void>;
  /** Milliseconds between two rounds. */
  readonly roundMs?: number;
}

export interface KamailioEnforcer extends Enforcer {
  /** The heartbeat says that the server has restarted or is back: look now. */
  poke(): void;
  /** Own counters, and Kamailio's (`c.<name>`, as last read). */
  counters(): Readonly<Record<string, number>>;
  readonly rpc: KamailioRpc;
}

const ROUND_MS = 2_000;
/** While the server is away: often at first, a restart takes a second or two; then more rarely. */
const RETRY_MS = 100;
const RETRY_SLOWLY_MS = 1_000;
const QUICK_RETRY_MS = 10_000;
/** Contact that ends sooner is a stumble: a server that answers half makes one a second. */
const STUMBLE_MS = 10_000;
/** After so many in a row the quick retries end, and they are told once a minute. */
const STUMBLES = 3;
const STUMBLE_LOG_MS = 60_000;
/** Two looks are at least so far apart, however often somebody pokes. */
const POKE_MS = 5;
/** The whole ledger is compared with what we believe we pushed. */
const LEDGER_ROUNDS = 30;
/** Below this free part of Kamailio's shared memory no new quarantines and throttles are pushed. */
const LOW_MEMORY = 0.1;
const LOW_MEMORY_LOG_MS = 60_000;

/** Makes one Kamailio's tables follow the ledger: pushed at once, compared every 2 s, pushed again after a restart. */
export const createKamailioEnforcer = (options: KamailioEnforcerOptions): KamailioEnforcer => {
  const { name, clock, log, desired } = options;
  const roundMs = options.roundMs ?? ROUND_MS;
  const mirror = createMirror({ ...DEFAULT_CAPS, ...options.caps });
  let unusable: ReadonlyMap<Table, string> = new Map();
  let state: NodeStatus['state'] = 'down';
  let pulse: Pulse | undefined;
  let version = '';
  let lastError = '';
  let drift = 0;
  let boot = '';
  let roundsUntilLedger = 0;
  let downSince = clock.now();
  let greetedAt = -Infinity;
  let stumbleLogged = -Infinity;
  let stumbles = 0;
  let lowMemoryLogged = -Infinity;
  let refusedInRound = 0;
  let restarts = 0;
  let refillComes = false;
  let stopped = false;

  const usable = (table: Table): boolean => !unusable.has(table);
  /** Nothing is written before we know whether it was a restart: known-good has to come first then. */
  const onDisconnect = (): void => {
    outbox.pause();
    poke();
  };
  const rpc = createKamailioRpc({ url: options.rpcUrl, token: options.token, onDisconnect });
  const writer = createBulkWriter(rpc);
  const outbox = createOutbox({
    writer,
    mirror,
    clock,
    usable,
    onLost: (error) => goDown(error.message),
    onRefused: (error) => {
      refusedInRound += 1;
      lastError = error.message;
    },
  });
  const { onForeign, onForeignGone } = options;
  const walker = createWalker({ rpc, mirror, outbox, clock, usable, onForeign, onForeignGone });
  const reconciler = createReconciler({ rpc, mirror, outbox, walker, clock, usable });

  const goDown = (reason: string): void => {
    lastError = reason;
    outbox.pause();
    if (state === 'down' || stopped) return;
    state = 'down';
    const now = clock.now();
    stumbles = now - greetedAt < STUMBLE_MS ? stumbles + 1 : 0;
    const isNew = stumbles < STUMBLES;
    if (isNew) downSince = now;
    if (isNew || now - stumbleLogged >= STUMBLE_LOG_MS) {
      if (!isNew) stumbleLogged = now;
      log.warn({ node: name, error: reason }, 'Kamailio does not answer: its tables are as they were');
    }
    rounds.within(nextDelay());
  };

  const send = ({ puts, removals }: MirrorChanges): void => {
    // a server that was never there gets everything at once when it comes
    if (boot === '') return;
    if (removals.length > 0) outbox.remove(removals);
    if (puts.length > 0 && !refillComes) outbox.set(puts);
  };

  const ledger = createLedgerReader(desired, mirror, clock, send);

  const apply = (changes: readonly Change[]): void => {
    outbox.together(() => {
      for (const { op, entry } of changes) {
        ledger.touch(entry);
        send(op === 'put' ? mirror.put(entry, clock.now()) : mirror.remove(entry));
        if (op === 'remove' && entry.kind === 'ban' && entry.origin === 'operator')
          send({ puts: [], removals: walker.disown(entry.subject) });
      }
    });
  };

  const watchMemory = async (): Promise<void> => {
    const free = await readFreeMemory(rpc);
    mirror.holdState = free < LOW_MEMORY;
    if (!mirror.holdState || clock.now() - lowMemoryLogged < LOW_MEMORY_LOG_MS) return;
    lowMemoryLogged = clock.now();
    log.warn(
      { node: name, freePercent: Math.round(free * 100) },
      "Kamailio's shared memory is nearly full: no new quarantines and throttles are pushed. Start it with a larger -m.",
    );
  };

  const readLedger = async (): Promise<void> => {
    roundsUntilLedger = LEDGER_ROUNDS;
    await ledger.read();
  };

  const seedOnce = async (): Promise<void> => {
    try {
      await options.beforeFirstPush?.(rpc);
    } catch (error) {
      log.warn({ node: name, error: String(error) }, 'what the server knows could not be read before the first push');
    }
  };

  /** First contact, or contact after a silence or a restart. */
  const greet = async (seen: Pulse): Promise<void> => {
    const isRestart = seen.boot !== boot;
    version = await readVersion(rpc);
    unusable = await readUnusable(rpc);
    if (isRestart) {
      if (boot !== '') restarts += 1;
      writer.forget();
      refillComes = true;
      if (boot === '') await seedOnce();
      await readLedger();
      refillComes = false;
      outbox.refill();
    }
    boot = seen.boot;
    reconciler.forceWalk();
    state = unusable.size > 0 ? 'degraded' : 'connected';
    lastError = [...unusable.values()].join(' ');
    outbox.resume();
    greetedAt = clock.now();
    if (stumbles < STUMBLES || isRestart)
      log.info({ node: name, version, restart: isRestart, unusable: [...unusable.values()] }, 'Kamailio answers');
  };

  /** One look at the server. @throws RpcError */
  const look = async (): Promise<void> => {
    const seen = await readPulse(rpc);
    pulse = seen;
    if (state === 'down' || seen.boot !== boot) {
      await greet(seen);
      return;
    }
    outbox.resume();
    if (outbox.isRefilling()) return;
    await watchMemory();
    if (--roundsUntilLedger <= 0) await readLedger();
    if (seen.nets !== undefined && seen.nets !== mirror.tables.companion_net.size) outbox.setNets();
    drift = await reconciler.round();
    if (drift > 0) log.warn({ node: name, drift }, "Kamailio's tables had drifted from the ledger; mended");
    state = unusable.size > 0 || refusedInRound > 0 ? 'degraded' : 'connected';
    if (unusable.size > 0) {
      lastError = [...unusable.values()].join(' ');
      unusable = await readUnusable(rpc);
    }
    refusedInRound = 0;
  };

  const nextDelay = (): number => {
    if (state !== 'down') return reconciler.isForced() ? RETRY_MS : roundMs;
    return clock.now() - downSince < QUICK_RETRY_MS ? RETRY_MS : RETRY_SLOWLY_MS;
  };

  const lookOrSay = async (): Promise<number> => {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof RpcError)) log.warn({ node: name, error: String(error) }, 'a look at Kamailio failed');
      if (!stopped) goDown(error instanceof Error ? error.message : String(error));
    } finally {
      refillComes = false;
    }
    return nextDelay();
  };

  const rounds = createRounds({ look: lookOrSay, roundMs, soonMs: POKE_MS });
  const poke = (): void => rounds.within(POKE_MS);

  rounds.within(0);

  return {
    name,
    rpc,
    apply,
    poke,
    holds: (ip, about) => readHolds(rpc, ip, about),
    status() {
      const entries: Record<string, number> = {};
      for (const table of TABLES) entries[table] = mirror.tables[table].size - mirror.expired[table];
      entries['foreign'] = walker.foreign.size;
      entries['unpushed'] = mirror.left.unpushed.size;
      entries['queued'] = outbox.pending();
      return { name, state, version, uptimeSeconds: pulse?.uptimeSeconds ?? 0, entries, drift, lastError };
    },
    counters() {
      const { capped, held } = mirror.left;
      return {
        ...pulse?.counters,
        ...outbox.counters,
        ...walker.counters,
        ...reconciler.counters,
        capped,
        held,
        restarts,
        drift,
      };
    },
    async stop() {
      stopped = true;
      outbox.pause();
      const ended = rounds.stop();
      await rpc.close();
      await ended;
    },
  };
};
