import { Judge, decideSchema } from '../../../src/decide/index.ts';
import type {
  Change,
  DecisionEvent,
  Enforcer,
  Entry,
  GeoReport,
  GoodEntry,
  NodeStatus,
  Records,
} from '../../../src/model/index.ts';
import { createLiveFeed, createTally } from '../../../src/observe/index.ts';
import {
  AddressLists,
  Peaks,
  createEffects,
  createOperations,
  createRecentUse,
  createSamples,
  createStatus,
  createTraces,
  createTune,
} from '../../../src/operate/index.ts';
import type { BackgroundOf, OperationsParts } from '../../../src/operate/index.ts';

export const NOW = 1_795_165_740_000;
export const HOUR = 3_600_000;

type RecordsPart = Partial<Records>;

/** Records in memory; `said` collects what was remembered and audited. */
export const fakeRecords = (said: string[] = [], part: RecordsPart = {}): Records => ({
  load: () => Promise.resolve({ entries: [], ladder: [] }),
  remember: ({ op, entry }) => said.push(`remember ${op} ${entry.kind}`),
  audit: ({ actor, action, subject, detail }) => said.push(`audit ${actor} ${action} ${subject}: ${detail}`),
  history: () => Promise.resolve([]),
  decisions: () => Promise.resolve([]),
  auditTrail: () => Promise.resolve([]),
  keep: () => Promise.resolve(),
  recall: () => Promise.resolve([]),
  flush: () => Promise.resolve(),
  stats: () => ({ queued: 4, droppedEvidence: 3, droppedAudit: 2, failures: 1, lastError: '', trouble: '' }),
  close: () => Promise.resolve(),
  ...part,
});

const NODE: NodeStatus = {
  name: 'edge1',
  state: 'connected',
  version: '5.6.3',
  uptimeSeconds: 60,
  entries: {},
  drift: 0,
  lastError: '',
};

export interface FakeEnforcer extends Enforcer {
  readonly applied: Change[];
  counters(): Readonly<Record<string, number>>;
}
export const fakeEnforcer = (part: Partial<Enforcer> = {}, status: Partial<NodeStatus> = {}): FakeEnforcer => {
  const applied: Change[] = [];
  return {
    name: 'edge1',
    applied,
    apply: (changes) => void applied.push(...changes),
    holds: (ip) => Promise.resolve([`nothing for ${ip}`]),
    status: () => ({ ...NODE, ...status }),
    stop: () => Promise.resolve(),
    counters: () => ({ 'c.dropped': 2 }),
    ...part,
  };
};

export interface BenchOptions {
  readonly mode?: 'shadow' | 'enforce';
  readonly own?: readonly string[];
  readonly enforcer?: FakeEnforcer;
  readonly enforcers?: readonly FakeEnforcer[];
  readonly records?: Records;
  readonly said?: string[];
  readonly silentMs?: number | undefined;
  readonly background?: BackgroundOf;
  readonly names?: OperationsParts['names'];
  readonly closedNodes?: readonly string[];
}

const GEO_NONE: GeoReport = {
  databases: [],
  ageMs: null,
  update: { running: false, startedAt: null, endedAt: null, files: [] },
};

/** Judge, lists, effects and operations as `app.ts` connects them, on a clock that stands still. */
export const bench = (options: BenchOptions = {}) => {
  const clock = { at: NOW, now: (): number => clock.at };
  const mode = options.mode ?? 'enforce';
  const said = options.said ?? [];
  const enforcer = options.enforcer ?? fakeEnforcer();
  const enforcers = options.enforcers ?? [enforcer];
  const records = options.records ?? fakeRecords(said);
  const judge = new Judge(decideSchema.parse({ max_sources: 1_000 }));
  const lists = new AddressLists();
  const feed = createLiveFeed();
  const events: DecisionEvent[] = [];
  feed.subscribe((event) => events.push(event));
  const bugs: unknown[] = [];
  const effects = createEffects({
    mode,
    clock,
    lists,
    records,
    enforcers: () => enforcers,
    publish: (event) => feed.publish(event),
    onBug: (bug) => bugs.push(bug),
  });
  const counts = { requests: 10, outcomes: 3, answers: { allow: 7, drop: 2, challenge: 1 }, drops: { secret: 3 } };
  const silentMs = 'silentMs' in options ? options.silentMs : 100;
  const status = createStatus({
    mode,
    startedAt: NOW,
    judge,
    lists,
    enforcers,
    counts,
    records,
    effects,
    hook: { silentMs: () => silentMs, stats: () => ({ asks: 5, tells: 5, late: 0, lost: 1 }) },
    tables: () => ({ 'density.sources': { size: 12, evicted: 1 } }),
  });
  const traces = createTraces(judge);
  const recent = createRecentUse();
  const peaks = new Peaks({ burst: 2_000, targets: 300_000, failures: 600_000 }, (identity) =>
    judge.ledger.hasGood(identity),
  );
  const samples = createSamples();
  const operations = createOperations({
    judge,
    lists,
    effects,
    records,
    enforcers,
    clock,
    banTimeMs: () => HOUR,
    ownAddresses: () => options.own ?? [],
    status: status.report,
    subscribe: (listener) => feed.subscribe(listener),
    traces,
    shapesOf: () => [],
    sampleOf: (identity) => samples.of(identity),
    usedBy: (text) => recent.of(text),
    tune: createTune({ peaks, clock, countedSince: () => NOW, current: () => 20 }),
    figures: () => createTally().figures(),
    enumerationSources: () => 0,
    reload: () => ({ changed: [], needRestart: [] }),
    background: options.background ?? (() => ({ place: undefined, barred: undefined })),
    geo: { report: () => GEO_NONE, update: () => GEO_NONE },
    names: options.names ?? { rows: () => [], add: (name) => ({ name, since: NOW }), remove: () => false },
    closedNodes: options.closedNodes ?? [],
    feeds: { rows: () => [], update: () => undefined, switch: () => undefined },
  });
  /** Puts an entry where decisions come from, with everything that follows. */
  const put = (entry: Entry): void => effects.push(judge.ledger.put(entry), { by: 'companion', node: '' });
  const expire = (): void => effects.push(judge.expire(clock.at), { by: 'companion', node: '' });
  return {
    clock,
    judge,
    lists,
    effects,
    operations,
    recent,
    samples,
    traces,
    status,
    enforcer,
    events,
    bugs,
    said,
    put,
    expire,
  };
};

export const good = (ip: string, user = 'alice', port = 5060): GoodEntry => ({
  kind: 'good',
  ip,
  port,
  user,
  since: NOW,
  until: NOW + HOUR,
  origin: 'detector',
  reason: 'registered',
});

export const ban = (subject: string, part: Partial<Extract<Entry, { kind: 'ban' }>> = {}): Entry => ({
  kind: 'ban',
  subject,
  level: 1,
  rules: ['enumeration.distinct'],
  since: NOW,
  until: NOW + HOUR,
  origin: 'detector',
  reason: 'enumeration.distinct',
  evidence: [{ at: NOW, rule: 'enumeration.distinct', tier: 'proven', points: 100, text: '20 names' }],
  ...part,
});

export const operator = { author: 'operator:root', reason: 'by hand' };
