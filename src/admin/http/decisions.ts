import { hash } from 'node:crypto';
import type { Context, Hono } from 'hono';
import type { PublishedBan, PublishedBans } from '../../model/index.ts';
import { withDeadline } from '../failure.ts';
import type { Desk } from '../routes/index.ts';
import type { Guard } from './guard.ts';
import { json } from './reply.ts';
import type { Env } from './reply.ts';

const ANSWER_DEADLINE_MS = 4_000;
/** What bouncers are told of a ban without end; it stands in each answer that has everything. */
const NO_END_MS = 365 * 86_400_000;

/** Go's duration text. */
const goDuration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m${seconds % 60}s`;
};

/** The same number for the same address in each answer. */
const idOf = (value: string): number => Number.parseInt(hash('sha256', value, 'hex').slice(0, 7), 16);

/** A decision as CrowdSec's LAPI shows it. */
const decision = ({ value, reason, until }: PublishedBan, now: number): object => ({
  id: idOf(value),
  origin: 'companion',
  type: 'ban',
  scope: value.includes('/') ? 'Range' : 'Ip',
  value,
  duration: goDuration(until === null ? NO_END_MS : until - now),
  ...(until === null ? {} : { until: new Date(until).toISOString() }),
  scenario: `companion/${reason}`,
  simulated: false,
});

const listOf = (bans: readonly PublishedBan[], now: number): object[] | null =>
  bans.length === 0 ? null : bans.map((ban) => decision(ban, now));

/** Bans for bouncers of CrowdSec and for whatever reads a plain list. A token with the scope `read` is the key. */
export const serveDecisions = (app: Hono<Env>, { operations }: Desk, guard: Guard, now: () => number): void => {
  const ask = async (c: Context<Env>, whole: boolean, reader: string): Promise<PublishedBans> =>
    withDeadline(operations.publishedBans(`${reader} ${c.get('asker')}`, whole), ANSWER_DEADLINE_MS, 'published bans');

  app.get('/v1/decisions/stream', async (c) => {
    const barred = guard.bar(c, 'read');
    if (barred !== undefined) return barred;
    const { added, gone } = await ask(c, c.req.query('startup') === 'true', 'stream');
    const at = now();
    return json(c, {
      new: listOf(added, at),
      deleted: listOf(
        gone.map((ban) => ({ ...ban, until: at })),
        at,
      ),
    });
  });
  app.get('/v1/decisions', async (c) => {
    const barred = guard.bar(c, 'read');
    if (barred !== undefined) return barred;
    const ip = c.req.query('ip') ?? '';
    if (ip === '') return json(c, listOf((await ask(c, true, 'all')).added, now()));
    const { state, until, reason, identity } = await operations.check(ip);
    const hit = state === 'banned' || state === 'denied';
    return json(
      c,
      hit ? listOf([{ value: identity, reason: reason.replaceAll(/[^\w.-]+/g, '-'), until }], now()) : null,
    );
  });
  app.get('/v1/blocklist', async (c) => {
    const barred = guard.bar(c, 'read');
    if (barred !== undefined) return barred;
    const { added } = await ask(c, true, 'list');
    const lines = added.map(({ value }) => value);
    const text = [`# companion: ${lines.length} addresses and networks`, ...lines, ''].join('\n');
    return c.body(text, 200, { 'content-type': 'text/plain; charset=utf-8' });
  });
};
