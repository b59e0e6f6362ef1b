import { isAbsolute } from 'node:path';
import { isIP } from 'node:net';
import { z } from 'zod';
import { canonicalIp } from '../model/index.ts';
import type { RuleAction } from '../model/index.ts';
import { PROFILES, perMinuteSchema, simpleSchema } from './profiles.ts';
import { feedSettings } from './feeds.ts';
import { geoSettings } from './geo.ts';
import { listSettings } from './lists.ts';
import { endpoint, isLoopback, listenEndpoint } from './endpoint.ts';

/** sockaddr_un.sun_path holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107;
const MAX_NODES = 64;
const MAX_EXTRA_AGENTS = 1_000;

const absolutePath = z.string().refine((text) => isAbsolute(text) && !text.includes('\0'), 'must be an absolute path');

const secret = z
  .string({ error: 'must be text of 16 to 256 characters; put digits in quotes' })
  .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 printable characters without spaces');

const ownAddress = z.string().transform((text, ctx): string => {
  const ip = canonicalIp(text);
  if (ip !== undefined) return ip;
  ctx.addIssue({
    code: 'custom',
    message: `'${text.slice(0, 60)}' is not a single IP address. Own addresses are exact ones, not ranges.`,
  });
  return z.NEVER;
});

/** Part of a User-Agent, any case. Shorter ones occur in every other name. */
const extraAgent = z.string().regex(/^[ -~]{3,64}$/, 'must be 3 to 64 printable ASCII characters');

const rpcUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).username === '',
    'must be an http:// or https:// URL without a user name, for example http://127.0.0.1:27080/RPC',
  );

const node = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, dashes or underscores'),
  /** How its frames come; the same choice stands in its own configuration. */
  transport: z.enum(['datagram', 'evapi', 'http']).default('datagram'),
  control: endpoint.prefault('127.0.0.1:27061'),
  /** Where it listens with evapi, for that transport. */
  evapi: endpoint.prefault('127.0.0.1:27448'),
  /** Whoever is not on the allow list, a peer or known-good is dropped: for a server that only knows its own. */
  allowlist_only: z.boolean().default(false),
  rpc: rpcUrl.default('http://127.0.0.1:27080/RPC'),
  secret: secret.optional(),
});

const http = z
  .strictObject({
    listen: listenEndpoint.prefault('127.0.0.1:2020'),
    token: secret.optional(),
    /** PEM files; read again at each reload. */
    tls: z.strictObject({ cert: absolutePath, key: absolutePath }).optional(),
    /** The admin port speaks plain HTTP: leaving loopback is a decision that must be written down. */
    beyond_loopback: z.boolean().default(false),
  })
  .refine((value) => value.beyond_loopback || value.tls !== undefined || isLoopback(value.listen.host), {
    path: ['listen'],
    message:
      "is not a loopback address. Write 'tls: { cert: FILE, key: FILE }', or 'beyond_loopback: true' to accept plain HTTP from outside.",
  });

const port = z.int().min(1).max(65_535);

const hook = z
  .strictObject({
    listen: z
      .string()
      .refine((text) => isIP(text) !== 0, 'must be an IP address')
      .default('127.0.0.1'),
    ask_port: port.default(27_900),
    tell_port: port.default(27_901),
    secret: secret.optional(),
  })
  .refine((value) => value.ask_port !== value.tell_port, { path: ['tell_port'], message: 'must differ from ask_port' });

const groupId = z.int().min(1).max(2_147_483_647);

/** Allow and deny list as groups of a server's permissions module: in its address file, or in its sqlite database. */
const permissions = z
  .strictObject({
    node: z.string().default('kamailio').describe('which of the nodes'),
    file: absolutePath.optional().describe('address_file of its permissions module'),
    sqlite: absolutePath.optional().describe('or the database of its db_url'),
    table: z
      .string()
      .regex(/^[A-Za-z_]\w{0,62}$/, 'must be the name of a table')
      .default('address'),
    allow_group: groupId.default(9_001),
    deny_group: groupId.default(9_002),
  })
  .refine(({ file, sqlite }) => (file === undefined) !== (sqlite === undefined), {
    message: "needs either 'file' (the address_file of permissions) or 'sqlite' (its database)",
  })
  .refine((value) => value.allow_group !== value.deny_group, {
    path: ['deny_group'],
    message: 'must differ from allow_group',
  });

/** Everything but the two parts that belong to other rooms; see `configSchema`. Durations are in milliseconds. */
export const baseSchema = z.strictObject({
  mode: z.enum(['enforce', 'shadow']).default('enforce').describe('shadow: decide and record, enforce nothing'),
  profile: z.enum(PROFILES).default('standard').describe('few knobs for who knows them from elsewhere'),
  simple: simpleSchema.prefault({}),
  per_minute: perMinuteSchema.prefault({}),
  state_dir: absolutePath.optional(),
  socket: absolutePath
    .refine(
      (text) => Buffer.byteLength(text) <= MAX_SOCKET_PATH_BYTES,
      `must be at most ${MAX_SOCKET_PATH_BYTES} bytes (a limit of Unix sockets)`,
    )
    .optional(),
  log: z
    .strictObject({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      security: z
        .union([z.enum(['off', 'stdout']), absolutePath])
        .default('off')
        .describe('one line a decision for fail2ban: off, stdout or a file'),
    })
    .prefault({}),
  metrics: z
    .strictObject({ aliases: z.boolean().default(false).describe('also under the names of SIP Guardian') })
    .prefault({}),
  http: z.union([z.literal(false), http]).prefault({}),
  hook: hook.prefault({}),
  nodes: z
    .array(node)
    .max(MAX_NODES)
    .refine((nodes) => new Set(nodes.map(({ name }) => name)).size === nodes.length, 'must have different names')
    .prefault([{ name: 'kamailio' }]),
  permissions: z
    .array(permissions)
    .max(MAX_NODES)
    .default([])
    .describe('keep allow and deny list as groups of the permissions module as well: one line for each server'),
  agents: z.strictObject({ extra: z.array(extraAgent).max(MAX_EXTRA_AGENTS).default([]) }).prefault({}),
  ...geoSettings,
  ...feedSettings,
  own_addresses: z.array(ownAddress).max(1_000).default([]),
  ...listSettings,
});

export type BaseConfig = z.infer<typeof baseSchema>;
export type NodeConfig = BaseConfig['nodes'][number];
export type PermissionsConfig = BaseConfig['permissions'][number];

/** What an operator thinks of a rule: silent, of another weight, leading to this at most, or only rehearsed. */
export type RuleSetting =
  | 'off'
  | {
      readonly points?: number | undefined;
      readonly action?: RuleAction | undefined;
      readonly shadow?: boolean | undefined;
    };

/** `count` is how every rule begins. */
const ruleAction = z
  .enum(['log', 'count', 'throttle', 'quarantine', 'ban'])
  .transform((action): RuleAction | undefined => (action === 'count' ? undefined : action));

const ruleSetting = z.union(
  [
    z.literal(['off', false]).transform((): RuleSetting => 'off'),
    z.literal('shadow').transform((): RuleSetting => ({ shadow: true })),
    ruleAction.transform((action): RuleSetting => ({ action })),
    z.strictObject({
      points: z.int().min(1).max(100).optional(),
      action: ruleAction.optional(),
      shadow: z.boolean().optional(),
    }),
  ],
  'must be off, log, count, throttle, quarantine, ban or shadow, or { points: 1-100, action: …, shadow: true }',
);

const rulesSchema = (rules: readonly string[]) =>
  z.strictObject(Object.fromEntries(rules.map((rule) => [rule, ruleSetting.optional()])));

/**
 * The whole file: the base with the sections of the deciding rooms, which stay above this room and are handed in by
 * `app.ts`. Each part must accept `{}` (all defaults).
 */
export const configSchema = <D extends z.ZodType, E extends z.ZodType>(parts: {
  readonly decide: D;
  readonly detect: E;
  /** Names of all rules. */
  readonly rules: readonly string[];
}) =>
  baseSchema
    .extend({
      rules: rulesSchema(parts.rules).prefault({}),
      decide: parts.decide.prefault({} as z.core.util.NoUndefined<z.input<D>>),
      detect: parts.detect.prefault({} as z.core.util.NoUndefined<z.input<E>>),
    })
    .superRefine((config, ctx) => {
      // typed by hand: the generic parts hide what the base has
      const { nodes, permissions: groups, http: door } = config as Pick<BaseConfig, 'nodes' | 'permissions' | 'http'>;
      for (const [index, { node: name }] of groups.entries())
        if (!nodes.some((one) => one.name === name))
          ctx.addIssue({ code: 'custom', path: ['permissions', index, 'node'], message: `is not one of the nodes` });
      for (const [index, { transport }] of nodes.entries())
        if (transport === 'http' && door === false)
          ctx.addIssue({ code: 'custom', path: ['nodes', index, 'transport'], message: "is 'http', but http is off" });
    });
