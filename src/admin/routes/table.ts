import { z } from 'zod';
import { CompanionError, parseDuration } from '../../model/index.ts';
import { author, importing, ip, lasting, lastingMs, none, note, removing, subject } from './parameters.ts';
import { listRoute, route } from './route.ts';
import * as shapes from './shapes.ts';

const removed = z.object({ removed: z.array(z.string()) });
const takenOff = removed.extend({
  standsIn: z.string().optional().describe('where it comes from and is back from: file:PATH, name:NAME, configuration'),
});
const givenScope = z.enum(['read', 'operate', 'hook']);
const tokenName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots and dashes');
const tokenRow = z.object({ name: z.string(), scopes: z.array(givenScope), since: z.number() });

/** How far back a report may look: as long as the audit trail is kept. */
const MAX_REPORT_MS = 90 * 86_400_000;

const spanOf = (text: string): number => {
  const span = parseDuration(text);
  if (span !== null && span <= MAX_REPORT_MS) return span;
  throw new CompanionError('DURATION_INVALID', `A report looks back 90 days at most, not ${text}.`);
};

const bans = [
  route('ban.add', 'POST /v1/bans', {
    scope: 'operate',
    summary: 'Ban an address or network by hand',
    input: z.strictObject({
      subject,
      ...lasting,
      reason: z.string().max(200).default('banned by hand'),
      author,
      force: z.boolean().optional().describe('even if registered phones, a peer or an allow entry would be hit'),
    }),
    output: shapes.banRowShape,
    ask: ({ operations }, { duration, durationMs, ...rest }) =>
      operations.banAdd({ ...rest, durationMs: lastingMs({ duration, durationMs }) }),
  }),
  listRoute('ban.list', 'GET /v1/bans', {
    scope: 'read',
    summary: 'Bans, quarantines and throttles',
    input: none,
    output: shapes.banRowShape,
    ask: ({ operations }) => operations.banList(),
  }),
  route('ban.import', 'POST /v1/bans/import', {
    scope: 'operate',
    summary: 'Ban up to 500 addresses; bad rows are told and the others taken',
    input: z.strictObject({ ...importing, force: z.boolean().optional() }),
    output: shapes.importShape,
    ask: ({ operations }, { duration, durationMs, ...rest }) =>
      operations.banImport({ ...rest, durationMs: lastingMs({ duration, durationMs }) }),
  }),
  route('ban.clear', 'POST /v1/bans/clear', {
    scope: 'operate',
    summary: 'Lift every ban, quarantine and throttle',
    input: z.strictObject({ author }),
    output: z.object({ removed: z.number() }),
    ask: ({ operations }, params) => operations.banClear(params.author),
  }),
  route('ban.remove', 'DELETE /v1/bans/{subject}', {
    scope: 'operate',
    summary: 'Lift every ban, quarantine and throttle of an address, everywhere',
    input: removing,
    output: removed,
    ask: ({ operations }, params) => operations.banRemove(params),
  }),
] as const;

const listOf = <const L extends 'allow' | 'deny'>(list: L) =>
  [
    route(`${list}.add`, `POST /v1/lists/${list}`, {
      scope: 'operate',
      summary: `Put an address or network on the ${list} list`,
      input: z.strictObject({
        subject,
        note: note.default(''),
        author,
        ...lasting,
        force: z.boolean().optional().describe('deny: even if registered phones would be hit'),
      }),
      output: shapes.listRowShape,
      ask: ({ operations }, { duration, durationMs, ...rest }) =>
        operations.listAdd({ list, ...rest, durationMs: lastingMs({ duration, durationMs }) }),
    }),
    listRoute(`${list}.list`, `GET /v1/lists/${list}`, {
      scope: 'read',
      summary: `The ${list} list`,
      input: none,
      output: shapes.listRowShape,
      ask: ({ operations }) => operations.listAll(list),
    }),
    route(`${list}.import`, `POST /v1/lists/${list}/import`, {
      scope: 'operate',
      summary: `Put up to 500 addresses on the ${list} list; bad rows are told and the others taken`,
      input: z.strictObject({
        ...importing,
        force: z.boolean().optional().describe('deny: even if registered phones would be hit'),
      }),
      output: shapes.importShape,
      ask: ({ operations }, { duration, durationMs, ...rest }) =>
        operations.listImport(list, { ...rest, durationMs: lastingMs({ duration, durationMs }) }),
    }),
    route(`${list}.remove`, `DELETE /v1/lists/${list}/{subject}`, {
      scope: 'operate',
      summary: `Take an entry off the ${list} list`,
      input: removing,
      output: takenOff,
      ask: ({ operations }, params) => operations.listRemove(list, params),
    }),
  ] as const;

const questions = [
  route('status', 'GET /v1/status', {
    scope: 'read',
    summary: 'Is the server protected, and by what',
    input: none,
    output: shapes.statusShape,
    ask: ({ operations }) => operations.status(),
  }),
  route('version', 'GET /v1/version', {
    scope: 'read',
    summary: 'Version of the service',
    input: none,
    output: z.object({ version: z.string() }),
    ask: async ({ operations }) => ({ version: (await operations.status()).version }),
  }),
  route('check', 'GET /v1/check/{ip}', {
    scope: 'read',
    summary: 'Is an address blocked',
    input: z.strictObject({ ip }),
    output: shapes.checkShape,
    ask: ({ operations }, params) => operations.check(params.ip),
  }),
  route('why', 'GET /v1/why/{ip}', {
    scope: 'read',
    summary: 'What is known of an address, on what evidence, what is enforced, how to undo it',
    input: z.strictObject({ ip }),
    output: shapes.whyShape,
    ask: ({ operations }, params) => operations.why(params.ip),
  }),
  route('used', 'GET /v1/used/{text}', {
    scope: 'read',
    summary: 'Which sources used a Call-ID or a user name lately',
    input: z.strictObject({ text: z.string().min(1).max(300) }),
    output: shapes.usedShape,
    ask: async ({ operations }, params) => {
      const { text, by } = await operations.used(params.text);
      return { text, by: [...by] };
    },
  }),
  route('stats', 'GET /v1/stats', {
    scope: 'read',
    summary: 'Running totals since start',
    input: none,
    output: shapes.statsShape,
    ask: ({ operations }) => operations.stats(),
  }),
  route('report', 'GET /v1/attacks', {
    scope: 'read',
    summary: 'Attacks of the last time: sources, agents, rules, outcome',
    input: z.strictObject({ since: z.string().max(40).default('24h').describe('how far back: 24h, 7d') }),
    output: shapes.attackShape,
    ask: async ({ operations }, params) => operations.report(spanOf(params.since)),
  }),
  route('shadow.report', 'GET /v1/shadow', {
    scope: 'read',
    summary: 'Who would have been hit by what was decided and not enforced, and who of them is a customer',
    input: z.strictObject({ since: z.string().max(40).default('24h').describe('how far back: 24h, 7d') }),
    output: shapes.shadowShape,
    ask: async ({ operations }, params) => operations.shadowReport(spanOf(params.since)),
  }),
  route('tune', 'GET /v1/tune', {
    scope: 'read',
    summary: 'Thresholds by what known customers do: proposals, nothing is changed',
    input: z.strictObject({ since: z.string().max(40).default('7d').describe('how far back, at most 7d') }),
    output: shapes.tuneShape,
    ask: async ({ operations }, params) => operations.tune(spanOf(params.since)),
  }),
  route('complete', 'GET /v1/complete', {
    scope: 'read',
    summary: 'Addresses that begin so, for completion; at most a hundred',
    input: z.strictObject({
      kind: z.enum(['held', 'allow', 'deny', 'any']).default('any'),
      prefix: z.string().max(100).default(''),
    }),
    output: z.array(z.string()),
    ask: async ({ operations }, params) => [...(await operations.complete(params.kind, params.prefix))],
  }),
  route('reload', 'POST /v1/reload', {
    scope: 'operate',
    summary: 'Read the configuration again; the old one goes on when the new one is wrong',
    input: z.strictObject({ author }),
    output: shapes.reloadShape,
    ask: ({ operations }) => operations.reload(),
  }),
] as const;

const feedName = z.string().min(1).max(40);

const feeds = [
  listRoute('feed.list', 'GET /v1/feeds', {
    scope: 'read',
    summary: "Feeds of other people's attackers: what they list, when they were read, what was left out",
    input: none,
    output: shapes.feedRowShape,
    ask: ({ operations }) => operations.feedList(),
  }),
  route('feed.update', 'POST /v1/feeds/update', {
    scope: 'operate',
    summary: 'Start to read a feed, or all of them',
    input: z.strictObject({ name: feedName.optional(), author }),
    output: z.array(shapes.feedRowShape),
    ask: async ({ operations }, params) => [...(await operations.feedUpdate(params.name))],
  }),
  route('feed.switch', 'POST /v1/feeds/switch', {
    scope: 'operate',
    summary: "Listen to a feed or not, over restarts, until its 'enabled' is changed in the configuration",
    input: z.strictObject({ name: feedName, on: z.boolean(), author }),
    output: z.array(shapes.feedRowShape),
    ask: async ({ operations }, params) => [...(await operations.feedSwitch(params.name, params.on, params.author))],
  }),
] as const;

const geo = [
  route('geo.report', 'GET /v1/geo', {
    scope: 'read',
    summary: 'Databases of countries and networks, their age, and what became of the last update',
    input: none,
    output: shapes.geoShape,
    ask: async ({ operations }) => operations.geoReport(),
  }),
  route('geo.update', 'POST /v1/geo/update', {
    scope: 'operate',
    summary: 'Start to fetch the configured databases',
    input: z.strictObject({ author }),
    output: shapes.geoShape,
    ask: async ({ operations }) => operations.geoUpdate(),
  }),
  route('geo.show', 'GET /v1/geo/{ip}', {
    scope: 'read',
    summary: 'Country and network of an address, and whether they are blocked',
    input: z.strictObject({ ip }),
    output: shapes.geoShowShape,
    ask: ({ operations }, params) => operations.geoShow(params.ip),
  }),
] as const;

const tokens = [
  route('token.add', 'POST /v1/tokens', {
    scope: 'admin',
    summary: 'Make a token; it is shown once and stored as a hash',
    input: z.strictObject({ name: tokenName, scopes: z.array(givenScope).min(1).max(3), author }),
    output: z.object({ name: z.string(), token: z.string() }),
    ask: async (desk, params) => desk.tokens.add(params.name, params.scopes),
  }),
  listRoute('token.list', 'GET /v1/tokens', {
    scope: 'admin',
    summary: 'Names and scopes of all tokens',
    input: none,
    output: tokenRow,
    ask: async (desk) => desk.tokens.list().map((row) => ({ ...row, scopes: [...row.scopes] })),
  }),
  route('token.remove', 'DELETE /v1/tokens/{name}', {
    scope: 'admin',
    summary: 'Take a token back',
    input: z.strictObject({ name: z.string().min(1).max(100), author }),
    output: removed,
    ask: async (desk, params) => ({ removed: [...desk.tokens.remove(params.name).removed] }),
  }),
] as const;

/** Every question but the two streams (`watch`, `trace`), at every door. */
export const ROUTES = [
  ...questions,
  ...bans,
  ...listOf('allow'),
  ...listOf('deny'),
  ...feeds,
  ...geo,
  ...tokens,
] as const;

/** What a client of the control socket may call. */
export type MethodName = (typeof ROUTES)[number]['method'] | 'watch' | 'trace';
