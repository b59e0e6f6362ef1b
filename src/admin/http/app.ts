import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clock } from '../../model/index.ts';
import type { StoredToken } from '../access/token-file.ts';
import { createTokenGate } from '../access/token-gate.ts';
import { failureOf, withDeadline } from '../failure.ts';
import type { Desk } from '../routes/index.ts';
import type { EventDoor } from './events.ts';
import { serveDecisions } from './decisions.ts';
import { createGuard, newHttpCounters } from './guard.ts';
import type { HttpCounters } from './guard.ts';
import { serveGuardian } from './guardian.ts';
import { json, refuse, statusOf } from './reply.ts';
import type { Env } from './reply.ts';
import { serveV1 } from './v1.ts';

const ANSWER_DEADLINE_MS = 4_000;
/** Applied while reading. An import of 500 rows with long notes fits. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_IMPORT_BYTES = 512 * 1024;

export interface AppOptions {
  readonly desk: Desk;
  /** The installation's own token, for everything. */
  readonly token: string;
  readonly storedTokens: () => readonly StoredToken[];
  readonly metrics?: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
  /** Whether `/metrics` answers without token: only on loopback. */
  readonly openMetrics: boolean;
  readonly onBug: (error: unknown) => void;
  readonly clock: Clock;
  /** Ends the streams. */
  readonly closing: AbortSignal;
}

const limit = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: (c) => refuse(c as Context<Env>, 413, 'REQUEST_INVALID', `A body may have at most ${maxSize} bytes.`),
  });

/** The sentences are the command line's: what is an option there is a member of the body here. */
const overHttp = (message: string): string => message.replace('Use --force if', 'Send "force": true if');

/** The routes, without the server around them. */
export const createHttpApp = (options: AppOptions): { readonly app: Hono<Env>; readonly counters: HttpCounters } => {
  const { desk, clock } = options;
  const counters = newHttpCounters();
  const guard = createGuard(createTokenGate(options.token, options.storedTokens, clock), counters);
  const door: EventDoor = { counters, readers: 0, closing: options.closing };
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    counters.requests += 1;
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    await next();
  });
  const [small, large] = [limit(MAX_BODY_BYTES), limit(MAX_IMPORT_BYTES)];
  app.use(async (c, next) => (c.req.path.endsWith('/import') ? large : small)(c, next));

  app.get('/healthz', async (c) => {
    try {
      const report = await withDeadline(desk.operations.status(), ANSWER_DEADLINE_MS, 'status');
      const connected = report.nodes.filter(({ state }) => state === 'connected').length;
      const uptime = Math.max(0, Math.floor((clock.now() - report.startedAt) / 1_000));
      return json(c, {
        status: 'ok',
        mode: report.mode,
        uptime_seconds: uptime,
        nodes: { connected, total: report.nodes.length },
      });
    } catch (error) {
      counters.failures += 1;
      options.onBug(error);
      return json(c, { status: 'failing' }, 503);
    }
  });

  const { metrics } = options;
  if (metrics !== undefined) {
    app.get('/metrics', async (c) => {
      const barred = options.openMetrics ? undefined : guard.bar(c, 'read');
      if (barred !== undefined) return barred;
      const { contentType, text } = await withDeadline(metrics(), ANSWER_DEADLINE_MS, 'metrics');
      return c.body(text, 200, { 'content-type': contentType });
    });
  }
  serveV1(app, desk, guard, door);
  serveDecisions(app, desk, guard, () => clock.now());
  serveGuardian(app, desk, guard);

  app.notFound((c) =>
    refuse(
      c,
      404,
      'NOT_FOUND',
      'There is nothing at this path. Known: /healthz, /metrics, /v1/… (see /v1/openapi.json), /api/sip-guardian/….',
    ),
  );
  app.onError((error, c) => {
    counters.failures += 1;
    const failure = failureOf(error);
    if (failure.code === 'INTERNAL') options.onBug(error);
    return refuse(c, statusOf(failure.code), failure.code, overHttp(failure.message));
  });
  return { app, counters };
};
