import type { Context, Hono } from 'hono';
import { withDeadline } from '../failure.ts';
import { HOOK_ROUTES, ROUTES, STREAMS } from '../routes/index.ts';
import type { Desk, Route } from '../routes/index.ts';
import { readBody } from './body.ts';
import { serveEvents } from './events.ts';
import type { EventDoor } from './events.ts';
import type { Guard } from './guard.ts';
import { listJson } from './list-json.ts';
import { openApi } from './openapi.ts';
import { json, pieces } from './reply.ts';
import type { Env } from './reply.ts';

const ANSWER_DEADLINE_MS = 4_000;

/** `{subject}` in the table; a CIDR brings its own slash, so a name at the end takes all that is left. */
export const pattern = (path: string): string => path.replaceAll(/\{(\w+)\}$/g, ':$1{.+}');

/** Path, then query or body; who asks is the token's owner, whatever the body says. */
const parametersOf = async (c: Context<Env>, route: Route): Promise<object> => {
  const given = route.verb === 'POST' ? await readBody(c, route.scope === 'hook') : c.req.query();
  const author = route.verb === 'GET' ? {} : { author: `token:${c.get('asker')}` };
  return { ...given, ...c.req.param(), ...author };
};

/** `/v1`: every route and stream of the table, and its description. */
export const serveV1 = (app: Hono<Env>, desk: Desk, guard: Guard, door: EventDoor): void => {
  for (const route of [...ROUTES, ...HOOK_ROUTES] as readonly Route[]) {
    app.on(route.verb, pattern(route.path), async (c) => {
      const barred = guard.bar(c, route.scope);
      if (barred !== undefined) return barred;
      const asked = route.call(desk, await parametersOf(c, route));
      const answer = await withDeadline(asked, ANSWER_DEADLINE_MS, route.method);
      return route.paged ? pieces(c, listJson('rows', answer as readonly unknown[])) : json(c, answer);
    });
  }
  for (const stream of STREAMS) {
    app.get(pattern(stream.path), (c) => {
      const barred = guard.bar(c, stream.scope);
      return barred ?? serveEvents(c, stream, { ...c.req.query(), ...c.req.param() }, desk, door);
    });
  }
  app.get('/v1/openapi.json', (c) => json(c, openApi()));
};
