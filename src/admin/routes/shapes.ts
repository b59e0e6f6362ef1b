import { z } from 'zod';
import type {
  AttackReport,
  BanRow,
  CheckReport,
  DecisionEvent,
  FeedRow,
  GeoReport,
  ImportReport,
  ListRow,
  ReloadReport,
  ShadowReport,
  StatsReport,
  StatusReport,
  TraceEvent,
  TuneReport,
  WhyReport,
} from '../../model/index.ts';

/** What the routes answer, for the description of the API; a test holds real answers against it. */

const at = z.number().describe('milliseconds since 1970');
const end = z.number().nullable().describe('milliseconds since 1970; null: no end');
const counts = z.record(z.string(), z.number());
const texts = z.array(z.string());
const state = z.enum(['allowed', 'good', 'denied', 'banned', 'quarantined', 'throttled', 'stranger']);
const transport = z.enum(['udp', 'tcp', 'tls', 'ws', 'wss', 'sctp']);
const tier = z.enum(['proven', 'spoofable']);
const answer = z.enum(['allow', 'drop', 'challenge']);
const score = z.object({ proven: z.number(), spoofable: z.number() });

const place = z
  .object({
    country: z.string().describe('ISO 3166, empty when unknown'),
    asn: z.number().describe('number of the network, 0 when unknown'),
    network: z.string(),
  })
  .optional();

export const banRowShape = z.object({
  kind: z.enum(['ban', 'quarantine', 'throttle', 'throttle-user']),
  subject: z.string().describe('an address, or a network as CIDR'),
  user: z.string().optional(),
  reason: z.string(),
  rules: texts,
  origin: z.enum(['detector', 'operator', 'foreign', 'feed']),
  level: z.number(),
  since: at,
  until: end,
  place,
}) satisfies z.ZodType<BanRow>;

export const listRowShape = z.object({
  list: z.enum(['allow', 'deny']),
  subject: z.string(),
  note: z.string(),
  author: z.string(),
  since: at,
  until: end,
  place,
}) satisfies z.ZodType<ListRow>;

export const checkShape = z.object({
  ip: z.string(),
  identity: z.string().describe('the address, or the /64 of an IPv6 address'),
  result: z.enum(['clear', 'blocked', 'allowed']),
  state,
  reason: z.string(),
  until: end,
  shadow: z.literal(true).optional().describe('decided in shadow mode, not enforced'),
  place,
}) satisfies z.ZodType<CheckReport>;

export const whyShape = z.object({
  ip: z.string(),
  identity: z.string(),
  state,
  reason: z.string(),
  since: end,
  until: end,
  evidence: z.array(z.object({ at, rule: z.string(), tier, points: z.number(), text: z.string() })),
  score,
  proof: z.enum(['proven', 'spoofable', 'none']),
  lists: z.array(listRowShape),
  listed: texts,
  rehearsed: texts,
  falseAlarm: z
    .object({
      subject: z.string(),
      at,
      until: at,
      how: z.enum(['registered-before', 'registered-since']),
      rules: texts,
    })
    .optional(),
  sample: z.object({ at, node: z.string(), text: z.string(), decided: z.boolean() }).optional(),
  users: z.array(z.object({ user: z.string(), ok: z.number(), failed: z.number() })),
  shapes: z.array(z.object({ id: z.string(), method: z.string(), tool: z.string(), entry: z.string(), at })),
  history: z.array(banRowShape),
  enforced: z.array(z.object({ enforcer: z.string(), holds: texts })),
  phones: z
    .array(z.object({ user: z.string(), ip: z.string(), port: z.number(), since: at, until: end }))
    .optional()
    .describe('known-good there'),
  shadow: z.literal(true).optional().describe('decided in shadow mode, not enforced'),
  undo: texts,
  place,
}) satisfies z.ZodType<WhyReport>;

export const usedShape = z.object({
  text: z.string(),
  by: z.array(z.object({ as: z.enum(['call-id', 'user']), ip: z.string(), first: at, last: at, events: z.number() })),
});

const outcome = z.enum(['ban', 'quarantine', 'throttle', 'throttle-user']);

export const shadowShape = z.object({
  from: at,
  to: at,
  mode: z.enum(['shadow', 'enforce']),
  decisions: z.number(),
  sourcesTotal: z.number(),
  suspected: z.number().describe('sources where customers are'),
  sources: z.array(
    z.object({
      subject: z.string(),
      outcome,
      by: z.enum(['mode', 'rule']),
      decisions: z.number(),
      first: at,
      last: at,
      rules: texts,
      customers: z.enum(['before', 'since', 'none']),
    }),
  ),
  rules: z.record(z.string(), z.object({ decisions: z.number(), sources: z.number(), suspected: z.number() })),
  cut: z.boolean(),
}) satisfies z.ZodType<ShadowReport>;

export const tuneShape = z.object({
  from: at,
  to: at,
  leastWindows: z.number(),
  leastMs: z.number(),
  rows: z.array(
    z.object({
      setting: z.string(),
      what: z.string(),
      current: z.number(),
      windows: z.number(),
      p999: z.number(),
      max: z.number(),
      proposal: z.number().nullable(),
      advice: z.enum(['keep', 'raise', 'lower', 'too-little-data']),
    }),
  ),
  yaml: z.string(),
}) satisfies z.ZodType<TuneReport>;

export const statusShape = z.object({
  version: z.string(),
  startedAt: at,
  mode: z.enum(['shadow', 'enforce']),
  summary: z.string(),
  nodes: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['connected', 'degraded', 'down']),
      version: z.string(),
      uptimeSeconds: z.number(),
      entries: counts,
      drift: z.number(),
      lastError: z.string(),
    }),
  ),
  counts: z.object({
    bans: z.number(),
    quarantined: z.number(),
    throttled: z.number(),
    good: z.number(),
    allow: z.number(),
    deny: z.number(),
    trackedSources: z.number(),
  }),
  requests: z.number(),
  outcomes: z.number(),
  drops: counts,
  alarms: texts.optional(),
  database: z.string().optional(),
}) satisfies z.ZodType<StatusReport>;

export const importShape = z.object({
  added: z.number(),
  same: z.number(),
  ended: z.number(),
  problems: z.array(z.object({ row: z.number(), subject: z.string(), code: z.string(), message: z.string() })),
}) satisfies z.ZodType<ImportReport>;

export const statsShape = z.object({
  at,
  startedAt: at,
  figures: z.object({
    requests: z.number(),
    methods: counts,
    answers: counts,
    rules: counts,
    limited: counts,
    blocked: counts,
    parseErrors: z.number(),
    validated: z.object({ valid: z.number(), invalid: z.number(), violations: counts }),
    sizes: z.object({ upTo: z.array(z.tuple([z.number(), z.number()])), sum: z.number(), count: z.number() }),
  }),
  activeBans: z.number(),
  enumerationSources: z.number(),
}) satisfies z.ZodType<StatsReport>;

export const attackShape = z.object({
  from: at,
  to: at,
  decisions: z.number(),
  sourcesTotal: z.number(),
  sources: z.array(
    z.object({
      subject: z.string(),
      decisions: z.number(),
      first: at,
      last: at,
      rules: texts,
      agent: z.string(),
      outcome: z.enum(['ban', 'quarantine', 'throttle', 'throttle-user']),
      place,
    }),
  ),
  rules: counts,
  agents: counts,
  outcomes: counts,
  countries: counts,
  cut: z.boolean(),
}) satisfies z.ZodType<AttackReport>;

export const reloadShape = z.object({ changed: texts, needRestart: texts }) satisfies z.ZodType<ReloadReport>;

export const decisionShape = z.object({
  at,
  node: z.string(),
  ip: z.string(),
  port: z.number(),
  transport: z.union([transport, z.literal('')]),
  method: z.string(),
  change: z.enum(['ban', 'quarantine', 'throttle', 'throttle-user', 'good', 'allow', 'deny', 'lift', 'false-alarm']),
  subject: z.string(),
  answer: z.union([answer, z.literal('')]),
  state,
  rules: texts,
  until: end,
  reason: z.string(),
  evidence: z.string(),
  shadow: z.boolean(),
}) satisfies z.ZodType<DecisionEvent>;

export const traceShape = z.object({
  at,
  node: z.string(),
  ip: z.string(),
  port: z.number(),
  transport,
  tier,
  what: z.string(),
  user: z.string(),
  target: z.string(),
  userAgent: z.string(),
  wire: z.string(),
  tool: z.string(),
  credentials: z.enum(['none', 'bound', 'unbound', '']),
  standing: z.enum(['stranger', 'good', 'in-dialog', 'quarantined', 'throttled', 'over-budget', 'dropped', '']),
  state,
  answer: z.union([answer, z.literal('')]),
  reason: z.string(),
  findings: z.array(z.object({ rule: z.string(), points: z.number(), evidence: z.string() })),
  changes: texts,
  score,
}) satisfies z.ZodType<TraceEvent>;

export const geoShape = z.object({
  databases: z.array(
    z.object({
      file: z.string(),
      type: z.string(),
      knows: z.array(z.enum(['country', 'network'])),
      builtAt: end,
      problem: z.string(),
    }),
  ),
  ageMs: z.number().nullable().describe('of the oldest database; null without any'),
  update: z.object({
    running: z.boolean(),
    startedAt: end,
    endedAt: end,
    files: z.array(z.object({ url: z.string(), outcome: z.enum(['updated', 'same', 'failed']), message: z.string() })),
  }),
}) satisfies z.ZodType<GeoReport>;

export const geoShowShape = z.object({
  ip: z.string(),
  place: place.unwrap(),
  barred: z.object({ state: z.enum(['denied', 'banned', 'quarantined']), reason: z.string() }).nullable(),
});

export const feedRowShape = z.object({
  name: z.string(),
  type: z.string(),
  on: z.boolean(),
  switched: z
    .object({ by: z.string(), at: z.number() })
    .nullable()
    .describe('who switched it by hand, and when; null: it is as configured'),
  action: z.enum(['ban', 'challenge', 'log']),
  entries: z.number(),
  updatedAt: end.describe('when it was last read; null: never since the start'),
  lastError: z.string(),
  hits: z.number().describe('entries of the last reading that would have hit somebody of ours'),
  left: counts.describe('entries that were left out, by reason'),
}) satisfies z.ZodType<FeedRow>;
