import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clock, ErrorCode, Operations } from '../model/index.ts';
import { jsonLine } from '../protocol/index.ts';
import { bansJson } from './bans-json.ts';
import { failureOf, withDeadline } from './failure.ts';
import { createTokenGate } from './token-gate.ts';

const ANSWER_DEADLINE_MS = 4_000;
/** No route takes a body yet; this holds for those to come, and is applied while reading. */
const MAX_BODY_BYTES = 64 * 1024;

export interface HttpCounters {
  requests: number;
  unauthorized: number;
  /** Refusals that were told to wait. */
  limited: number;
  failures: number;
  /** Connections over the cap. */
  refused: number;
}

interface AppOptions {
  readonly operations: Operations;
  readonly token: string;
  readonly metrics?: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
  /** Whether `/metrics` answers without token: only on loopback. */
  readonly openMetrics: boolean;
  readonly onBug: (error: unknown) => void;
  readonly clock: Clock;
}

type Env = { Bindings: HttpBindings };

const json = (c: Context<Env>, value: unknown, status: 200 | 400 | 401 | 404 | 413 | 429 | 500 | 503 = 200): Response =>
  c.body(jsonLine(value), status, { 'content-type': 'application/json; charset=utf-8' });

const refuse = (
  c: Context<Env>,
  status: 400 | 401 | 404 | 413 | 429 | 500,
  code: ErrorCode,
  message: string,
): Response => json(c, { error: { code, message } }, status);

/** The routes, without the server around them. */
export const createHttpApp = (options: AppOptions): { readonly app: Hono<Env>; readonly counters: HttpCounters } => {
  const counters: HttpCounters = { requests: 0, unauthorized: 0, limited: 0, failures: 0, refused: 0 };
  const gate = createTokenGate(options.token, options.clock);
  const app = new Hono<Env>();

  /** undefined: go on. Else the refusal. */
  const barred = (c: Context<Env>): Response | undefined => {
    const answer = gate.judge(c.req.header('authorization'), c.env.incoming.socket.remoteAddress ?? '');
    if (answer.kind === 'open') return undefined;
    counters.unauthorized += 1;
    c.header('WWW-Authenticate', 'Bearer');
    if (answer.kind === 'refused')
      return refuse(
        c,
        401,
        'UNAUTHORIZED',
        'The token is missing or wrong. Send the header: Authorization: Bearer <token>.',
      );
    counters.limited += 1;
    c.header('Retry-After', String(answer.seconds));
    return refuse(c, 429, 'UNAUTHORIZED', `Too many wrong tokens from this address. Try again in ${answer.seconds} s.`);
  };

  app.use(async (c, next) => {
    counters.requests += 1;
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) =>
        refuse(c as Context<Env>, 413, 'REQUEST_INVALID', `A body may have at most ${MAX_BODY_BYTES} bytes.`),
    }),
  );

  app.get('/healthz', async (c) => {
    try {
      const report = await withDeadline(options.operations.status(), ANSWER_DEADLINE_MS, 'status');
      const connected = report.nodes.filter(({ state }) => state === 'connected').length;
      const uptime = Math.max(0, Math.floor((options.clock.now() - report.startedAt) / 1_000));
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

  app.get('/api/sip-guardian/bans', async (c) => {
    const refusal = barred(c);
    if (refusal !== undefined) return refusal;
    const rows = await withDeadline(options.operations.banList(), ANSWER_DEADLINE_MS, 'ban list');
    const text = ReadableStream.from(bansJson(rows)).pipeThrough(new TextEncoderStream());
    return c.body(text as ReadableStream, 200, { 'content-type': 'application/json; charset=utf-8' });
  });

  const { metrics } = options;
  if (metrics !== undefined) {
    app.get('/metrics', async (c) => {
      const refusal = options.openMetrics ? undefined : barred(c);
      if (refusal !== undefined) return refusal;
      const { contentType, text } = await withDeadline(metrics(), ANSWER_DEADLINE_MS, 'metrics');
      return c.body(text, 200, { 'content-type': contentType });
    });
  }

  app.notFound((c) =>
    refuse(c, 404, 'NOT_FOUND', 'There is nothing at this path. Known: /healthz, /metrics, /api/sip-guardian/bans.'),
  );
  app.onError((error, c) => {
    counters.failures += 1;
    const failure = failureOf(error);
    if (failure.code === 'INTERNAL') options.onBug(error);
    return refuse(c, failure.code === 'INTERNAL' ? 500 : 400, failure.code, failure.message);
  });
  return { app, counters };
};
