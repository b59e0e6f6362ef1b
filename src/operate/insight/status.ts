import type { Enforcer, NodeStatus, Records, StatusReport } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import type { Effects } from '../effects.ts';
import type { AddressLists } from '../lists/address-lists.ts';

/** Heartbeats must have been answered this recently. */
const ALIVE_MS = 2_500;

/** Set by the build; the version that `status` and `version` show. */
export const COMPANION_VERSION = '0.1.0';

interface KamailioLike extends Enforcer {
  counters(): Readonly<Record<string, number>>;
}

export interface StatusParts {
  readonly mode: 'shadow' | 'enforce';
  readonly startedAt: number;
  readonly judge: Judge;
  readonly lists: AddressLists;
  readonly hook: { silentMs(node: string): number | undefined; stats(): Readonly<Record<string, number>> };
  readonly enforcers: readonly KamailioLike[];
  readonly counts: {
    readonly requests: number;
    readonly outcomes: number;
    readonly answers: Readonly<Record<string, number>>;
    readonly drops: Readonly<Record<string, number>>;
  };
  readonly tables: () => Readonly<Record<string, { readonly size: number; readonly evicted: number }>>;
  readonly records: Records;
  readonly effects: Effects;
  readonly alarms?: (() => readonly string[]) | undefined;
}

type Groups = Record<string, Record<string, number>>;

const summaryOf = (mode: 'shadow' | 'enforce', nodes: readonly NodeStatus[]): string => {
  const up = nodes.filter(({ state }) => state === 'connected').length;
  const half = nodes.filter(({ state }) => state === 'degraded').length;
  if (up === 0 && half === 0) return 'no SIP server connected: nothing is protected';
  const servers = `${up} of ${nodes.length} SIP server${nodes.length === 1 ? '' : 's'} connected`;
  if (mode === 'shadow') return `${servers}; shadow mode: decisions are recorded, nothing is enforced`;
  return half === 0 && up === nodes.length
    ? `protecting ${up} SIP server${up === 1 ? '' : 's'}`
    : `${servers}, ${half} degraded: protection is incomplete`;
};

/** What `status` and the metrics read: both come from the same places. */
export const createStatus = (parts: StatusParts) => {
  const { judge, hook, enforcers, counts, records } = parts;
  const { ledger } = judge;

  const nodeStatus = (enforcer: KamailioLike): NodeStatus => {
    const rpc = enforcer.status();
    const silent = hook.silentMs(enforcer.name);
    const beats = silent !== undefined && silent <= ALIVE_MS;
    const state =
      beats && rpc.state === 'connected' ? 'connected' : beats || rpc.state === 'connected' ? 'degraded' : 'down';
    const lastError =
      state === 'degraded' && !beats
        ? `RPC works, but heartbeats are not answered: is nosip loaded, and the control socket where the configuration says? ${rpc.lastError}`.trim()
        : rpc.lastError;
    return { ...rpc, state, lastError };
  };
  const nodes = (): NodeStatus[] => enforcers.map(nodeStatus);

  return {
    report: (): StatusReport => {
      const all = nodes();
      const { trouble } = records.stats();
      const alarms = parts.alarms?.() ?? [];
      return {
        version: COMPANION_VERSION,
        startedAt: parts.startedAt,
        mode: parts.mode,
        summary: summaryOf(parts.mode, all),
        nodes: all,
        counts: {
          bans: ledger.count('ban'),
          quarantined: ledger.count('quarantine'),
          throttled: ledger.count('throttle') + ledger.count('throttle-user'),
          good: ledger.count('good'),
          allow: ledger.count('allow'),
          deny: ledger.count('deny') + parts.lists.tabledCount,
          trackedSources: judge.sources.size,
        },
        requests: counts.requests,
        outcomes: counts.outcomes,
        drops: { ...counts.drops },
        ...(alarms.length === 0 ? {} : { alarms }),
        ...(trouble === '' ? {} : { database: trouble }),
      };
    },
    metricSources: {
      totals: (): Groups => {
        const tables = parts.tables();
        const store = records.stats();
        return {
          events: { request: counts.requests, outcome: counts.outcomes },
          verdicts: { ...counts.answers },
          changes: { ...parts.effects.counts },
          drops: { ...counts.drops },
          spared: { ...judge.spared },
          hook: { ...hook.stats() },
          evictions: {
            ledger: ledger.evicted,
            sources: judge.sources.evicted,
            ...Object.fromEntries(Object.entries(tables).map(([name, { evicted }]) => [name, evicted])),
          },
          store: {
            evidence_dropped: store.droppedEvidence,
            audit_dropped: store.droppedAudit,
            failures: store.failures,
          },
        };
      },
      sizes: (): Groups => ({
        ledger: Object.fromEntries(
          (['ban', 'quarantine', 'throttle', 'throttle-user', 'good', 'allow', 'deny'] as const).map((kind) => [
            kind,
            ledger.count(kind),
          ]),
        ),
        tables: {
          sources: judge.sources.size,
          store_queue: records.stats().queued,
          ...Object.fromEntries(Object.entries(parts.tables()).map(([name, { size }]) => [name, size])),
        },
      }),
      nodes: () =>
        Object.fromEntries(
          enforcers.map((enforcer) => {
            const { state, drift } = nodeStatus(enforcer);
            return [enforcer.name, { up: state === 'connected' ? 1 : 0, drift, counters: enforcer.counters() }];
          }),
        ),
    },
  };
};
