import { createHash } from 'node:crypto';
import { CompanionError, parseCidr } from '../../../src/model/index.ts';
import type {
  BanRow,
  CheckReport,
  DecisionEvent,
  FeedRow,
  GeoReport,
  ImportReport,
  ListRow,
  Operations,
  StatsReport,
  StatusReport,
  TraceEvent,
  WhyReport,
} from '../../../src/model/index.ts';
import type { TokenStore } from '../../../src/admin/index.ts';

/** What an attacker would like to do to the operator's terminal: clear it, retitle it, add a line, turn text round. */
export const HOSTILE = 'x\u001b[2J\u001b]0;owned\u0007\r\nfake line\u009b31m\u202eevil"\\';

export const AT = Date.UTC(2026, 10, 20, 8, 0, 0);

export const banRow = (subject: string, more: Partial<BanRow> = {}): BanRow => ({
  kind: 'ban',
  subject,
  reason: 'guessed passwords',
  rules: ['digest.wrong-password'],
  origin: 'detector',
  level: 1,
  since: AT,
  until: Date.UTC(2036, 0, 1),
  ...more,
});

export const decision = (index: number, more: Partial<DecisionEvent> = {}): DecisionEvent => ({
  at: AT + index,
  node: 'kamailio',
  ip: '203.0.113.7',
  port: 5060,
  transport: 'udp',
  method: 'REGISTER',
  change: 'ban',
  subject: '203.0.113.7',
  answer: 'drop',
  state: 'banned',
  rules: ['scan.distinct'],
  until: AT + index + 3_600_000,
  reason: `decision ${index}`,
  evidence: HOSTILE,
  shadow: false,
  ...more,
});

export const traceEvent = (index: number): TraceEvent => ({
  at: AT + index,
  node: 'kamailio',
  ip: '203.0.113.7',
  port: 5060,
  transport: 'udp',
  tier: 'spoofable',
  what: 'REGISTER',
  user: HOSTILE,
  target: '',
  userAgent: HOSTILE,
  wire: 'w1-0a1b2c3d',
  tool: 'sipvicious',
  credentials: 'none',
  standing: 'stranger',
  state: 'stranger',
  answer: 'allow',
  reason: 'nothing known',
  findings: [],
  changes: [],
  score: { proven: 0, spoofable: 0 },
});

export const STATS: StatsReport = {
  at: AT,
  startedAt: AT,
  figures: {
    requests: 100,
    methods: { REGISTER: 90, OTHER: 10 },
    answers: { allow: 70, drop: 20, challenge: 10 },
    rules: { 'enumeration.distinct': 3, 'enumeration.rapid': 1, 'garbage.not-sip': 2, 'density.source': 5 },
    limited: { REGISTER: 5 },
    blocked: { banned: 20, quarantined: 10 },
    parseErrors: 7,
    validated: { valid: 60, invalid: 4, violations: { missing_to: 1, duplicate_header: 3 } },
    sizes: { upTo: [[512, 60]], sum: 50_000, count: 100 },
  },
  activeBans: 2,
  enumerationSources: 12,
};

const FEEDS: readonly FeedRow[] = [
  {
    name: 'voipbl',
    type: 'list',
    on: true,
    switched: { by: HOSTILE, at: AT },
    action: 'ban',
    entries: 90_000,
    updatedAt: AT,
    lastError: HOSTILE,
    hits: 1,
    left: { nobody: 3 },
  },
];

const GEO: GeoReport = {
  databases: [{ file: '/var/lib/x.mmdb', type: HOSTILE, knows: ['country'], builtAt: AT, problem: HOSTILE }],
  ageMs: 60_000,
  update: {
    running: false,
    startedAt: AT,
    endedAt: AT,
    files: [{ url: 'https://example.com/x', outcome: 'failed', message: HOSTILE }],
  },
};

/** Tokens in memory: `read-token-123456`, `operate-token-1234`, `hook-token-1234567`. */
export const fakeTokens = (): TokenStore => {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const tokens = (['read', 'operate', 'hook'] as const).map((scope) => ({
    name: scope,
    sha256: hash({ read: 'read-token-123456', operate: 'operate-token-1234', hook: 'hook-token-1234567' }[scope]),
    scopes: [scope],
    since: AT,
  }));
  return {
    stored: () => tokens,
    list: () => tokens.map(({ name, scopes, since }) => ({ name, scopes, since })),
    add: (name) => ({ name, token: 'made-for-you' }),
    remove: (name) => ({ removed: [name] }),
  };
};

export interface FakeOperations extends Operations {
  readonly calls: unknown[];
  readonly bans: BanRow[];
  readonly lists: ListRow[];
  emit(event: DecisionEvent): void;
  emitTrace(event: TraceEvent): void;
  watchers(): number;
  /** What the next import answers. */
  importReport: ImportReport;
}

/** A companion that remembers what it was asked and answers from memory. Some addresses have a role. */
export const fakeOperations = (): FakeOperations => {
  const calls: unknown[] = [];
  const listeners = new Set<(event: DecisionEvent) => void>();
  const tracers = new Set<(event: TraceEvent) => void>();
  const bans: BanRow[] = [
    banRow('203.0.113.7', { reason: HOSTILE }),
    banRow('198.51.100.0/24', { until: null, level: 0, origin: 'operator' }),
    banRow('192.0.2.9', { kind: 'quarantine' }),
    banRow('192.0.2.10', { kind: 'throttle-user', user: HOSTILE }),
  ];
  const lists: ListRow[] = [
    { list: 'allow', subject: '192.0.2.1/32', note: HOSTILE, author: 'operator:root', since: AT, until: null },
  ];
  const status: StatusReport = {
    version: '9.9.9',
    startedAt: AT,
    mode: 'enforce',
    summary: 'no SIP server connected: nothing is protected',
    nodes: [
      {
        name: 'edge1',
        state: 'down',
        version: HOSTILE,
        uptimeSeconds: 0,
        entries: { ipban: 2 },
        drift: 1,
        lastError: HOSTILE,
      },
    ],
    counts: { bans: 2, quarantined: 1, throttled: 1, good: 5, allow: 1, deny: 0, trackedSources: 42 },
    requests: 10,
    outcomes: 3,
    drops: { 'wrong-secret': 3 },
  };
  const why = (ip: string): WhyReport => ({
    ip,
    identity: ip,
    state: 'banned',
    reason: 'guessed passwords',
    since: AT,
    until: Date.UTC(2036, 0, 1),
    evidence: [
      { at: AT, rule: 'digest.wrong-password', tier: 'proven', points: 60, text: HOSTILE },
      {
        at: AT + 1_000,
        rule: 'scanner.user-agent',
        tier: 'spoofable',
        points: 40,
        text: 'User-Agent friendly-scanner',
      },
    ],
    score: { proven: 60.4, spoofable: 40 },
    proof: 'proven',
    lists,
    listed: [HOSTILE],
    rehearsed: ['ban by scanner.trick until 2036-01-01T00:00:00Z'],
    sample: { at: AT, node: 'edge1', text: `REGISTER sip:x SIP/2.0\nUser-Agent: ${HOSTILE}`, decided: true },
    users: [{ user: HOSTILE, ok: 1, failed: 7 }],
    shapes: [{ id: 'w1-0a1b2c3d', method: HOSTILE, tool: 'sipvicious', entry: 'svwar-tag', at: AT }],
    history: [banRow(ip, { reason: HOSTILE })],
    enforced: [{ enforcer: 'kamailio edge1', holds: [HOSTILE] }],
    undo: [`companion ban remove ${ip}`],
  });
  const note = <T>(call: unknown, result: T): Promise<T> => {
    calls.push(call);
    return Promise.resolve(result);
  };
  return {
    calls,
    bans,
    lists,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    emitTrace: (event) => {
      for (const tracer of tracers) tracer(event);
    },
    watchers: () => listeners.size + tracers.size,
    importReport: { added: 1, same: 0, ended: 0, problems: [] },
    banClear: (author) => note({ banClear: author }, { removed: 4 }),
    async banImport(request) {
      return note({ banImport: request }, this.importReport);
    },
    async listImport(list, request) {
      return note({ listImport: list, ...request }, this.importReport);
    },
    trace: (ip, listener) => {
      parseCidr(ip);
      tracers.add(listener);
      return () => {
        tracers.delete(listener);
      };
    },
    async used(text) {
      if (text === 'nobody') throw new CompanionError('NOT_FOUND', 'No source used that.');
      return note(
        { used: text },
        {
          text,
          by: [
            { as: 'call-id', ip: '203.0.113.7', first: AT, last: AT + 1_000, events: 3 },
            { as: 'user', ip: '203.0.113.7', first: AT, last: AT + 1_000, events: 3 },
            { as: 'user', ip: '198.51.100.9', first: AT, last: AT, events: 1 },
          ],
        },
      );
    },
    shadowReport: (spanMs) =>
      note(
        { shadowReport: spanMs },
        {
          from: AT - spanMs,
          to: AT,
          mode: 'enforce' as const,
          decisions: 3,
          sourcesTotal: 2,
          suspected: 1,
          sources: [
            {
              subject: '198.51.100.9',
              outcome: 'quarantine' as const,
              by: 'rule' as const,
              decisions: 1,
              first: AT,
              last: AT,
              rules: ['scanner.trick'],
              customers: 'before' as const,
            },
            {
              subject: '203.0.113.7',
              outcome: 'ban' as const,
              by: 'rule' as const,
              decisions: 2,
              first: AT - 1_000,
              last: AT,
              rules: ['scanner.trick'],
              customers: 'none' as const,
            },
          ],
          rules: { 'scanner.trick': { decisions: 3, sources: 2, suspected: 1 } },
          cut: false,
        },
      ),
    tune: (spanMs) =>
      note(
        { tune: spanMs },
        {
          from: AT - spanMs,
          to: AT,
          leastWindows: 10_000,
          leastMs: 86_400_000,
          rows: [
            {
              setting: 'detect.density.requests',
              what: 'requests',
              current: 100,
              windows: 20_000,
              p999: 80,
              max: 120,
              proposal: 160,
              advice: 'raise' as const,
            },
            {
              setting: 'detect.enumeration.distinct',
              what: 'names',
              current: 20,
              windows: 9,
              p999: 1,
              max: 1,
              proposal: null,
              advice: 'too-little-data' as const,
            },
          ],
          yaml: 'detect:\n  density:\n    requests: 160',
        },
      ),
    stats: () => Promise.resolve(STATS),
    report: (spanMs) =>
      note(
        { report: spanMs },
        {
          from: AT - spanMs,
          to: AT,
          decisions: 3,
          sourcesTotal: 1,
          sources: [
            {
              subject: '203.0.113.7',
              decisions: 3,
              first: AT - 1_000,
              last: AT,
              rules: ['enumeration.distinct'],
              agent: HOSTILE,
              outcome: 'ban' as const,
            },
          ],
          rules: { 'enumeration.distinct': 3 },
          agents: { [HOSTILE]: 3 },
          outcomes: { ban: 1, quarantine: 2 },
          countries: { DE: 1 },
          cut: false,
        },
      ),
    feedList: () => note({ feedList: true }, FEEDS),
    feedUpdate: (name) => note({ feedUpdate: name }, FEEDS),
    feedSwitch: (name, on, by) => note({ feedSwitch: name, on, by }, FEEDS),
    publishedBans: (reader, whole) =>
      note(
        { published: reader, whole },
        {
          whole,
          added: [
            { value: '203.0.113.7', reason: 'digest.guessing', until: AT + 14_400_000 },
            { value: '198.51.100.0/24', reason: 'deny-list', until: null },
          ],
          gone: whole ? [] : [{ value: '192.0.2.9', reason: 'lifted', until: null }],
        },
      ),
    geoReport: () => note({ geo: true }, GEO),
    geoUpdate: () => note({ geoUpdate: true }, GEO),
    geoShow: (ip) =>
      note({ geoShow: ip }, { ip, place: { country: 'DE', asn: 64_500, network: HOSTILE }, barred: null }),
    complete: (kind, prefix) => note({ complete: kind, prefix }, ['203.0.113.7', '198.51.100.0/24']),
    reload: () => note({ reload: true }, { changed: ['log.level'], needRestart: ['hook.ask_port'] }),
    status: () => note({ status: true }, status),
    banAdd: async (request) => {
      parseCidr(request.subject);
      if (request.subject === '192.0.2.1' && request.force !== true)
        throw new CompanionError(
          'BAN_REFUSED',
          `192.0.2.1 is on the allow list as ${HOSTILE}. Use --force if that is what you want.`,
        );
      return note(
        { banAdd: request },
        banRow(request.subject, {
          reason: request.reason,
          level: 0,
          origin: 'operator',
          until: request.durationMs === null ? null : AT + (request.durationMs ?? 3_600_000),
        }),
      );
    },
    banList: () => note({ banList: true }, bans),
    banRemove: async (request) => {
      if (request.subject === '192.0.2.99') throw new CompanionError('NOT_FOUND', 'Nothing holds 192.0.2.99.');
      return note({ banRemove: request }, { removed: [`ban ${request.subject}`] });
    },
    listAdd: (request) =>
      note(
        { listAdd: request },
        {
          list: request.list,
          subject: `${request.subject}/32`,
          note: request.note,
          author: request.author,
          since: AT,
          until: null,
        },
      ),
    listAll: (list) =>
      note(
        { listAll: list },
        lists.filter((row) => row.list === list),
      ),
    listRemove: (list, request) => note({ listRemove: list, ...request }, { removed: [`${request.subject}/32`] }),
    check: async (ip) => {
      parseCidr(ip);
      const result: CheckReport['result'] = ip === '203.0.113.7' ? 'blocked' : ip === '192.0.2.1' ? 'allowed' : 'clear';
      const state = { blocked: 'banned', allowed: 'allowed', clear: 'stranger' } as const;
      return { ip, identity: ip, result, state: state[result], reason: HOSTILE, until: null };
    },
    why: (ip) =>
      ip === '192.0.2.66'
        ? Promise.reject(new TypeError('secret detail of a bug'))
        : ip === '192.0.2.67'
          ? new Promise(() => {})
          : note({ why: ip }, why(ip)),
    watch: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
};
