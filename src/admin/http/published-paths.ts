import { z } from 'zod';

/** What `decisions.ts` answers, as CrowdSec's LAPI words it. */
const decision = z.object({
  id: z.int().describe('the same for the same address in each answer'),
  origin: z.literal('companion'),
  type: z.literal('ban'),
  scope: z.enum(['Ip', 'Range']),
  value: z.string().describe('address or network'),
  duration: z.string().describe("what is left of it, in Go's words: 3h59m58s"),
  until: z.iso.datetime().optional().describe('left out: without end'),
  scenario: z.string(),
  simulated: z.literal(false),
});
const decisions = z.array(decision).nullable().describe('null: none');

const schemaOf = (type: z.ZodType): object => {
  const { $schema: _, ...schema } = z.toJSONSchema(type);
  return schema;
};

interface Published {
  readonly path: string;
  /** Left out: get. */
  readonly verb?: 'post' | 'delete' | undefined;
  readonly operationId: string;
  readonly summary: string;
  /** Left out: read; `none` needs no token. */
  readonly scope?: 'operate' | 'none' | undefined;
  readonly body?: object | undefined;
  readonly query?: { readonly name: string; readonly description: string; readonly schema: object } | undefined;
  readonly mediaType: string;
  readonly answer: object;
}

const count = z.int().min(0);
const counts = z.record(z.string(), count);
const record = z.object({
  ip: z.string(),
  reason: z.string(),
  banned_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable().describe('null: without end'),
  level: count,
});

const GUARDIAN = '/api/sip-guardian';
const asJson = (type: z.ZodType) => ({ mediaType: 'application/json', answer: schemaOf(type) }) as const;

/** The routes of SIP Guardian (`guardian.ts`), in its words. */
const COMPATIBLE: readonly Published[] = [
  {
    path: `${GUARDIAN}/bans`,
    operationId: 'guardian.bans',
    summary: 'Bans, as SIP Guardian words them',
    ...asJson(z.object({ bans: z.array(record), total: count })),
  },
  {
    path: `${GUARDIAN}/stats`,
    operationId: 'guardian.stats',
    summary: 'Totals since the start, as SIP Guardian words them',
    ...asJson(
      z.object({
        total_requests: count.describe('that a server asked or told about; what its own tables drop is not among them'),
        blocked_requests: count.describe('likewise'),
        active_bans: count,
        enumeration_detections: count,
        validation_failures: count,
        rate_limited: count,
        since: z.iso.datetime(),
      }),
    ),
  },
  {
    path: `${GUARDIAN}/enumeration/stats`,
    operationId: 'guardian.enumeration',
    summary: 'Findings of enumeration, as SIP Guardian words them',
    ...asJson(z.object({ detections: count, tracked_ips: count, by_reason: counts })),
  },
  {
    path: `${GUARDIAN}/validation/stats`,
    operationId: 'guardian.validation',
    summary: 'Broken rules of the standard, as SIP Guardian words them',
    ...asJson(z.object({ violations: count, by_rule: counts, results: z.object({ valid: count, invalid: count }) })),
  },
  {
    path: `${GUARDIAN}/ban/{ip}`,
    verb: 'post',
    operationId: 'guardian.ban',
    summary: 'Ban an address by hand',
    scope: 'operate',
    body: schemaOf(
      z.strictObject({
        reason: z.string().max(200).optional(),
        duration: z.string().optional().describe('90s, 15m, 4h, 7d or permanent'),
        force: z.boolean().optional().describe('even if registered phones, a peer or an allow entry would be hit'),
      }),
    ),
    ...asJson(record),
  },
  {
    path: `${GUARDIAN}/unban/{ip}`,
    verb: 'delete',
    operationId: 'guardian.unban',
    summary: 'Lift what holds an address, everywhere',
    scope: 'operate',
    ...asJson(z.object({ ip: z.string(), unbanned: z.literal(true), removed: z.array(z.string()) })),
  },
];

const PUBLISHED: readonly Published[] = [
  {
    path: '/healthz',
    operationId: 'healthz',
    summary: 'Does the service answer, and how many servers are connected',
    scope: 'none',
    ...asJson(
      z.object({
        status: z.literal('ok'),
        mode: z.enum(['enforce', 'shadow']),
        uptime_seconds: count,
        nodes: z.object({ connected: count, total: count }),
      }),
    ),
  },
  {
    path: '/metrics',
    operationId: 'metrics',
    summary: 'For Prometheus; without token where the service listens on loopback',
    mediaType: 'text/plain',
    answer: { type: 'string' },
  },
  ...COMPATIBLE,
  {
    path: '/v1/decisions/stream',
    operationId: 'decisions.stream',
    summary:
      'Bans and the deny list for bouncers of CrowdSec: all of it, then what has changed since this reader last asked',
    query: {
      name: 'startup',
      description: 'everything, not only what is new',
      schema: { type: 'boolean', default: false },
    },
    mediaType: 'application/json',
    answer: schemaOf(z.object({ new: decisions, deleted: decisions })),
  },
  {
    path: '/v1/decisions',
    operationId: 'decisions.list',
    summary: 'What stands against an address, or everything, as CrowdSec words it',
    query: { name: 'ip', description: 'one address; left out: all', schema: { type: 'string' } },
    mediaType: 'application/json',
    answer: schemaOf(decisions),
  },
  {
    path: '/v1/blocklist',
    operationId: 'blocklist',
    summary: 'Banned and denied addresses and networks, one a line; # begins a remark',
    mediaType: 'text/plain',
    answer: { type: 'string' },
  },
];

/** Bouncers send their key in a header of its own. */
export const KEY_SCHEME = { type: 'apiKey', in: 'header', name: 'X-Api-Key' } as const;

/** `ip` of `/ban/{ip}`. */
const inPath = (path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

/** The paths that no command has: bans for others, health, SIP Guardian's. @param refusal the answer to what is refused */
export const publishedPaths = (refusal: object): Readonly<Record<string, Record<string, object>>> =>
  Object.fromEntries(
    PUBLISHED.map(({ path, verb = 'get', operationId, summary, scope = 'read', body, query, mediaType, answer }) => [
      path,
      {
        [verb]: {
          operationId,
          summary,
          description: scope === 'none' ? 'Needs no token.' : `Needs the scope \`${scope}\`.`,
          security: scope === 'none' ? [] : [{ token: [] }, { key: [] }],
          parameters: [...inPath(path), ...(query === undefined ? [] : [{ ...query, in: 'query', required: false }])],
          ...(body === undefined
            ? {}
            : { requestBody: { required: false, content: { 'application/json': { schema: body } } } }),
          responses: {
            '200': { description: 'Done', content: { [mediaType]: { schema: answer } } },
            default: refusal,
          },
        },
      },
    ]),
  );
