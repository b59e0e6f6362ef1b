import type { Hono } from 'hono';
import { z } from 'zod';
import { canonicalIp } from '../../model/index.ts';
import { withDeadline } from '../failure.ts';
import { lasting, lastingMs } from '../routes/parameters.ts';
import type { Desk, Scope } from '../routes/index.ts';
import { readBody } from './body.ts';
import type { Guard } from './guard.ts';
import { banRecord, listJson } from './list-json.ts';
import { json, pieces } from './reply.ts';
import type { Env } from './reply.ts';
import { enumerationStats, guardianStats, validationStats } from './guardian-stats.ts';

const ANSWER_DEADLINE_MS = 4_000;

const banBody = z.strictObject({
  reason: z.string().max(200).default('banned by hand'),
  ...lasting,
  force: z.boolean().optional(),
});

/** An IPv6 address stands for its /64, which is what the ban is of: the answer names what was asked for. */
const shownIp = (asked: string, subject: string): string => canonicalIp(asked) ?? subject;

/** The routes of Caddy SIP Guardian, for dashboards and scripts that know them. They need the token all the same. */
export const serveGuardian = (app: Hono<Env>, desk: Desk, guard: Guard): void => {
  const { operations } = desk;
  const top = '/api/sip-guardian';

  app.get(`${top}/bans`, async (c) => {
    const barred = guard.bar(c, 'read');
    if (barred !== undefined) return barred;
    const rows = await withDeadline(operations.banList(), ANSWER_DEADLINE_MS, 'ban list');
    const bans = rows.filter(({ kind }) => kind === 'ban');
    return pieces(c, listJson('bans', bans, banRecord));
  });

  const stats = (path: string, scope: Scope, shape: typeof guardianStats): void => {
    app.get(`${top}/${path}`, async (c) => {
      const barred = guard.bar(c, scope);
      if (barred !== undefined) return barred;
      return json(c, shape(await withDeadline(operations.stats(), ANSWER_DEADLINE_MS, 'stats')));
    });
  };
  stats('stats', 'read', guardianStats);
  stats('enumeration/stats', 'read', enumerationStats);
  stats('validation/stats', 'read', validationStats);

  app.post(`${top}/ban/:ip{.+}`, async (c) => {
    const barred = guard.bar(c, 'operate');
    if (barred !== undefined) return barred;
    const { reason, force, ...length } = banBody.parse(await readBody(c));
    const subject = c.req.param('ip');
    const author = `token:${c.get('asker')}`;
    const ban = await operations.banAdd({ subject, reason, force, author, durationMs: lastingMs(length) });
    return json(c, { ...banRecord(ban), ip: shownIp(subject, ban.subject) });
  });

  app.delete(`${top}/unban/:ip{.+}`, async (c) => {
    const barred = guard.bar(c, 'operate');
    if (barred !== undefined) return barred;
    const subject = c.req.param('ip');
    const { removed } = await operations.banRemove({ subject, author: `token:${c.get('asker')}` });
    return json(c, { ip: subject, unbanned: true, removed });
  });
};
