import type { Context } from 'hono';
import type { TokenGate } from '../access/token-gate.ts';
import type { Scope } from '../routes/index.ts';
import { refuse } from './reply.ts';
import type { Env } from './reply.ts';

export interface HttpCounters {
  requests: number;
  unauthorized: number;
  /** Refusals that were told to wait. */
  limited: number;
  /** The right token without the scope. */
  forbidden: number;
  failures: number;
  /** Connections over the cap. */
  refused: number;
  /** Server-sent events that slow readers missed. */
  eventsDropped: number;
}

export const newHttpCounters = (): HttpCounters => ({
  requests: 0,
  unauthorized: 0,
  limited: 0,
  forbidden: 0,
  failures: 0,
  refused: 0,
  eventsDropped: 0,
});

/** Looks at the token of a request. */
export interface Guard {
  /** undefined: go on. Else the refusal. */
  bar(c: Context<Env>, scope: Scope): Response | undefined;
}

export const createGuard = (gate: TokenGate, counters: HttpCounters): Guard => ({
  bar(c, scope) {
    // bouncers of CrowdSec show their key so
    const key = c.req.header('x-api-key');
    const given = c.req.header('authorization') ?? (key === undefined ? undefined : `Bearer ${key}`);
    const answer = gate.judge(given, c.env.incoming.socket.remoteAddress ?? '');
    if (answer.kind === 'open') {
      c.set('asker', answer.name);
      if (answer.scopes.includes(scope)) return undefined;
      counters.forbidden += 1;
      const has = answer.scopes.length === 0 ? 'none' : answer.scopes.join(', ');
      return refuse(c, 403, 'FORBIDDEN', `This needs the scope ${scope}; the token '${answer.name}' has ${has}.`);
    }
    counters.unauthorized += 1;
    c.header('WWW-Authenticate', 'Bearer');
    if (answer.kind === 'refused') {
      const message = 'The token is missing or wrong. Send the header: Authorization: Bearer <token>.';
      return refuse(c, 401, 'UNAUTHORIZED', message);
    }
    counters.limited += 1;
    c.header('Retry-After', String(answer.seconds));
    return refuse(c, 429, 'UNAUTHORIZED', `Too many wrong tokens from this address. Try again in ${answer.seconds} s.`);
  },
});
