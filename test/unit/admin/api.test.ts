import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startHttp } from '../../../src/admin/index.ts';
import type { HttpDoor } from '../../../src/admin/index.ts';
import { ROUTES, STREAMS } from '../../../src/admin/routes/index.ts';
import type { Route } from '../../../src/admin/routes/index.ts';
import { AT, decision, fakeOperations, fakeTokens, traceEvent } from './fake-operations.ts';
import type { FakeOperations } from './fake-operations.ts';

const TOKENS = {
  all: 'correct-horse-battery-staple',
  read: 'read-token-123456',
  operate: 'operate-token-1234',
  hook: 'hook-token-1234567',
} as const;

let operations: FakeOperations;
let door: HttpDoor;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

const ask = async (method: string, path: string, token: string = TOKENS.all, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    const asked = request({ host: '127.0.0.1', port: door.port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => {
        const json = text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as Answer['json']) : {};
        resolve({ status: response.statusCode ?? 0, text, json });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });

/** Reads a stream until `enough`, then goes away. */
const listen = async (path: string, enough: (text: string) => boolean, then: () => void): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKENS.read}` };
    const asked = request({ host: '127.0.0.1', port: door.port, path, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text === ': companion\n\n') then();
        if (!enough(text)) return;
        resolve(text);
        response.destroy();
      });
    });
    asked.on('error', reject);
    asked.end();
  });

const filled = (path: string): string => path.replace('{name}', 'grafana').replaceAll(/\{\w+\}/g, '203.0.113.7');

beforeEach(async () => {
  operations = fakeOperations();
  door = await startHttp({
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKENS.all,
    tokens: fakeTokens(),
    operations,
    clock: { now: () => AT },
  });
});
afterEach(async () => {
  await door.close();
});

const BODIES: Readonly<Record<string, object>> = {
  'ban.add': { subject: '203.0.113.7', duration: '4h' },
  'ban.import': { rows: [{ subject: '203.0.113.7', note: 'x' }] },
  'allow.add': { subject: '203.0.113.7', note: 'office' },
  'deny.add': { subject: '203.0.113.7' },
  'allow.import': { rows: [] },
  'deny.import': { rows: [] },
  'feed.switch': { name: 'voipbl', on: false },
  'token.add': { name: 'grafana', scopes: ['read'] },
};

describe('every route of the table', () => {
  test.each((ROUTES as readonly Route[]).map((route) => [route.method, route] as const))('%s', async (name, route) => {
    const body = route.verb === 'POST' ? JSON.stringify(BODIES[name] ?? {}) : undefined;
    const path = filled(route.path);
    expect((await ask(route.verb, path, '', body)).status).toBe(401);
    for (const scope of ['read', 'operate', 'hook'] as const) {
      const { status, json } = await ask(route.verb, path, TOKENS[scope], body);
      expect([scope, status]).toEqual([scope, scope === route.scope ? 200 : 403]);
      if (status === 403) expect(json).toMatchObject({ error: { code: 'FORBIDDEN', message: expect.any(String) } });
    }
    const answer = await ask(route.verb, path, TOKENS.all, body);
    expect(answer.status).toBe(200);
    // what is described is what is answered
    const answered: unknown = route.paged ? (answer.json['rows'] as unknown[])[0] : JSON.parse(answer.text);
    if (answered !== undefined) expect(route.output.safeParse(answered).error?.issues ?? []).toEqual([]);
  });

  test('acts in the name of the token, whatever the body says', async () => {
    await ask(
      'POST',
      '/v1/bans',
      TOKENS.operate,
      '{"subject":"203.0.113.9","author":"operator:root","duration":"90s"}',
    );
    expect(operations.calls).toContainEqual({
      banAdd: { subject: '203.0.113.9', reason: 'banned by hand', author: 'token:operate', durationMs: 90_000 },
    });
  });

  test('networks in the path, with their slash or without', async () => {
    for (const path of ['/v1/bans/198.51.100.0/24', '/v1/bans/198.51.100.0%2F24', '/v1/lists/deny/2001:db8::/48']) {
      expect([path, (await ask('DELETE', path)).status]).toEqual([path, 200]);
    }
    expect(operations.calls).toContainEqual({
      banRemove: { subject: '198.51.100.0/24', author: 'token:installation' },
    });
    expect(operations.calls).toContainEqual({
      listRemove: 'deny',
      subject: '2001:db8::/48',
      author: 'token:installation',
    });
  });
});

describe('bad input', () => {
  test.each([
    ['POST', '/v1/bans', '{"subject":', 400, 'The body is not JSON'],
    ['POST', '/v1/bans', '[1]', 400, 'must be a JSON object'],
    ['POST', '/v1/bans', '{}', 400, 'subject'],
    ['POST', '/v1/bans', '{"subject":"203.0.113.7","colour":"red"}', 400, 'colour'],
    ['POST', '/v1/bans', '{"subject":"203.0.113.7/64"}', 400, 'is not an IP address or CIDR'],
    ['POST', '/v1/bans', '{"subject":"203.0.113.7","duration":"a while"}', 400, 'Cannot read the duration'],
    ['POST', '/v1/bans', '{"subject":"192.0.2.1"}', 409, 'allow list'],
    ['DELETE', '/v1/bans/192.0.2.99', undefined, 404, 'Nothing holds'],
    ['GET', '/v1/check/nobody', undefined, 400, 'is not an IP address'],
    ['GET', '/v1/attacks?since=400d', undefined, 400, '90 days'],
    ['GET', '/v1/attacks?until=now', undefined, 400, 'until'],
    ['GET', '/v1/trace/nobody', undefined, 400, 'is not an IP address'],
    ['PUT', '/v1/bans', undefined, 404, 'nothing at this path'],
    ['POST', '/api/sip-guardian/ban/203.0.113.7', '{"duration":24}', 400, 'duration'],
  ])('%s %s %s → %i', async (method, path, body, status, sentence) => {
    const answer = await ask(method, path, TOKENS.all, body);
    expect(answer.status).toBe(status);
    expect((answer.json['error'] as { message: string }).message).toContain(sentence);
  });

  test('ten megabytes are cut off while they come in, with and without token', async () => {
    const flood = 'x'.repeat(10 * 1024 * 1024);
    for (const [path, token] of [
      ['/v1/bans', TOKENS.all],
      ['/v1/bans/import', ''],
      ['/api/sip-guardian/ban/203.0.113.7', ''],
    ] as const) {
      const status = await ask('POST', path, token, flood).then(
        (answer) => answer.status,
        (error: NodeJS.ErrnoException) => error.code,
      );
      expect([413, 'ECONNRESET', 'EPIPE']).toContain(status);
    }
    expect((await ask('GET', '/healthz', '')).status).toBe(200);
    expect(operations.calls.filter((call) => 'banAdd' in (call as object))).toEqual([]);
  });

  test('501 rows are refused as a whole', async () => {
    const rows = Array.from({ length: 501 }, () => ({ subject: '203.0.113.7' }));
    expect((await ask('POST', '/v1/bans/import', TOKENS.all, JSON.stringify({ rows }))).status).toBe(400);
  });
});

describe('slow clients', () => {
  test.each([
    ['headers that never end', 'GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['a body that never ends', 'POST /v1/bans HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{'],
    ['nothing at all', ''],
  ])('%s: answered 408 and closed, others are served meanwhile', async (_name, bytes) => {
    await door.close();
    door = await startHttp({
      listen: { host: '127.0.0.1', port: 0 },
      token: TOKENS.all,
      tokens: fakeTokens(),
      operations,
      patience: { headersTimeout: 300, requestTimeout: 600 },
    });
    const socket = connect(door.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    socket.write(bytes);
    expect((await ask('GET', '/v1/status')).status).toBe(200);
    await closed;
    expect(text).toMatch(bytes === '' ? /^$|^HTTP\/1.1 408/ : /^HTTP\/1.1 40[18]/);
  });

  test('the sixty-fifth connection waits for none', async () => {
    const sockets = Array.from({ length: 64 }, () => connect(door.port, '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await expect(ask('GET', '/healthz', '')).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect(door.stats().refused).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
  });
});

describe('server-sent events', () => {
  test('decisions and traces, one event each', async () => {
    const events = await listen(
      '/v1/events',
      (text) => text.includes('decision 2'),
      () => {
        operations.emit(decision(1));
        operations.emit(decision(2));
      },
    );
    expect(events.match(/^event: decision$/gm)).toHaveLength(2);
    const data = /^data: (.*)$/m.exec(events)?.[1] ?? '';
    expect(STREAMS[0]?.output.safeParse(JSON.parse(data)).success).toBe(true);

    const traced = await listen(
      '/v1/trace/203.0.113.7',
      (text) => text.includes('event: trace'),
      () => operations.emitTrace(traceEvent(1)),
    );
    expect(STREAMS[1]?.output.safeParse(JSON.parse(/^data: (.*)$/m.exec(traced)?.[1] ?? '')).success).toBe(true);
    while (operations.watchers() > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a reader that does not read loses events, is told how many, and costs no more than its queue', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKENS.read}` };
      const asked = request({ host: '127.0.0.1', port: door.port, path: '/v1/events', headers }, (response) => {
        let all = '';
        response.once('data', () => {
          response.pause();
          for (let index = 0; index < 60_000; index += 1) operations.emit(decision(index));
          response.on('data', (chunk: Buffer) => {
            all += chunk.toString();
            if (!all.includes('event: dropped')) {
              // room again: the next event brings the count of the missing ones
              setImmediate(() => operations.emit(decision(70_000)));
              return;
            }
            resolve(all);
            response.destroy();
          });
          response.resume();
        });
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(text).toMatch(/event: dropped\ndata: \{"count":\d+\}/);
    expect(door.stats().eventsDropped).toBeGreaterThan(50_000);
  });

  test('at most sixteen readers, and closing ends them', async () => {
    const readers = await Promise.all(
      Array.from(
        { length: 16 },
        async () =>
          new Promise<{ ended: Promise<unknown> }>((resolve, reject) => {
            const headers = { authorization: `Bearer ${TOKENS.read}` };
            const asked = request({ host: '127.0.0.1', port: door.port, path: '/v1/events', headers }, (response) => {
              resolve({ ended: new Promise((ended) => response.on('close', ended)) });
              response.resume();
            });
            asked.on('error', reject);
            asked.end();
          }),
      ),
    );
    const refused = await ask('GET', '/v1/events');
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('16 readers')]);
    await door.close();
    await Promise.all(readers.map(({ ended }) => ended));
    expect(operations.watchers()).toBe(0);
  });
});

describe('the description', () => {
  test('OpenAPI 3.1 of every route, without a token', async () => {
    const { status, json } = await ask('GET', '/v1/openapi.json', '');
    expect([status, json['openapi']]).toEqual([200, '3.1.0']);
    const paths = json['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    for (const route of [...ROUTES, ...STREAMS.map((stream) => ({ ...stream, verb: 'GET' }))]) {
      expect(paths[route.path]?.[route.verb.toLowerCase()]).toMatchObject({ operationId: route.method });
    }
    const add = paths['/v1/bans']?.['post'] as { requestBody: { content: Record<string, { schema: object }> } };
    expect(add.requestBody.content['application/json']?.schema).toMatchObject({ required: ['subject'] });
    expect(JSON.stringify(add)).not.toContain('author');
    expect(paths['/v1/bans/{subject}']?.['delete']).toMatchObject({
      parameters: [{ name: 'subject', in: 'path', required: true }],
    });
    expect(paths['/v1/attacks']?.['get']).toMatchObject({ parameters: [{ name: 'since', in: 'query' }] });
    for (const path of ['/v1/decisions/stream', '/v1/decisions', '/v1/blocklist'])
      expect(paths[path]?.['get']).toMatchObject({ security: [{ token: [] }, { key: [] }] });
  });
});

interface Described {
  readonly paths: Readonly<
    Record<
      '/v1/decisions/stream',
      {
        get: {
          responses: { '200': { content: Record<'application/json', { schema: z.core.JSONSchema.JSONSchema }> } };
        };
      }
    >
  >;
}

describe('bans for others', () => {
  const bouncer = async (path: string, key: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${door.port}${path}`, { headers: { 'x-api-key': key } });
    return { status: answer.status, text: await answer.text() };
  };

  test('as the decision stream of a CrowdSec LAPI, with its key header', async () => {
    expect((await bouncer('/v1/decisions/stream?startup=true', 'wrong')).status).toBe(401);
    expect((await bouncer('/v1/decisions/stream?startup=true', TOKENS.hook)).status).toBe(403);
    const whole = JSON.parse((await bouncer('/v1/decisions/stream?startup=true', TOKENS.read)).text) as object;
    expect(whole).toEqual({
      new: [
        {
          id: expect.any(Number),
          origin: 'companion',
          type: 'ban',
          scope: 'Ip',
          value: '203.0.113.7',
          duration: '4h0m0s',
          until: '2026-11-20T12:00:00.000Z',
          scenario: 'companion/digest.guessing',
          simulated: false,
        },
        expect.objectContaining({ scope: 'Range', value: '198.51.100.0/24', duration: '8760h0m0s' }),
      ],
      deleted: null,
    });
    const described = z.fromJSONSchema(
      ((await ask('GET', '/v1/openapi.json', '')).json as unknown as Described).paths['/v1/decisions/stream'].get
        .responses['200'].content['application/json'].schema,
    );
    expect(described.safeParse(whole).error).toBeUndefined();
    const later = JSON.parse((await bouncer('/v1/decisions/stream?startup=false', TOKENS.read)).text) as object;
    expect(later).toMatchObject({ deleted: [{ value: '192.0.2.9', duration: '0h0m0s' }] });
    expect(operations.calls).toContainEqual({ published: 'stream read', whole: false });
  });

  test('one address, and a plain list', async () => {
    expect(JSON.parse((await bouncer('/v1/decisions?ip=203.0.113.7', TOKENS.read)).text)).toMatchObject([
      { value: '203.0.113.7', type: 'ban' },
    ]);
    expect((await bouncer('/v1/decisions?ip=203.0.113.200', TOKENS.read)).text).toBe('null');
    expect((await bouncer('/v1/decisions?ip=nonsense', TOKENS.read)).status).toBe(400);
    expect((await bouncer('/v1/blocklist', TOKENS.read)).text).toBe(
      '# companion: 2 addresses and networks\n203.0.113.7\n198.51.100.0/24\n',
    );
    expect((await bouncer('/v1/blocklist', '')).status).toBe(401);
  });
});

describe('paths that no command has', () => {
  test.each([
    ['get', '/healthz', '/healthz'],
    ['get', '/api/sip-guardian/bans', '/api/sip-guardian/bans'],
    ['get', '/api/sip-guardian/stats', '/api/sip-guardian/stats'],
    ['get', '/api/sip-guardian/enumeration/stats', '/api/sip-guardian/enumeration/stats'],
    ['get', '/api/sip-guardian/validation/stats', '/api/sip-guardian/validation/stats'],
    ['post', '/api/sip-guardian/ban/{ip}', '/api/sip-guardian/ban/203.0.113.7'],
    ['delete', '/api/sip-guardian/unban/{ip}', '/api/sip-guardian/unban/203.0.113.7'],
  ] as const)('%s %s answers as it is described', async (verb, path, real) => {
    const { json } = await ask('GET', '/v1/openapi.json', '');
    const { responses } = (json as unknown as Record<'paths', Record<string, Record<string, Operation>>>).paths[path]![
      verb
    ]!;
    const described = z.fromJSONSchema(responses['200'].content['application/json'].schema);
    const answer = await ask(
      verb.toUpperCase() as 'GET',
      real,
      TOKENS.all,
      verb === 'post' ? '{"duration":"4h"}' : undefined,
    );
    expect(answer.status).toBe(200);
    expect(described.safeParse(JSON.parse(answer.text)).error).toBeUndefined();
  });

  test('what to do about a refusal is said in the words of HTTP', async () => {
    const { json } = await ask('POST', '/v1/bans', TOKENS.operate, '{"subject":"192.0.2.1"}');
    expect(json).toMatchObject({ error: { message: expect.stringContaining('Send "force": true if that is') } });
  });
});

interface Operation {
  readonly responses: {
    readonly '200': { readonly content: Record<'application/json', { schema: z.core.JSONSchema.JSONSchema }> };
  };
}

describe('as Caddy SIP Guardian', () => {
  const top = '/api/sip-guardian';

  test('statistics', async () => {
    expect((await ask('GET', `${top}/stats`, TOKENS.read)).json).toEqual({
      total_requests: 100,
      blocked_requests: 30,
      active_bans: 2,
      enumeration_detections: 4,
      validation_failures: 11,
      rate_limited: 5,
      since: '2026-11-20T08:00:00.000Z',
    });
    expect((await ask('GET', `${top}/enumeration/stats`, TOKENS.read)).json).toEqual({
      detections: 4,
      tracked_ips: 12,
      by_reason: { distinct: 3, rapid: 1 },
    });
    expect((await ask('GET', `${top}/validation/stats`, TOKENS.read)).json).toEqual({
      violations: 6,
      by_rule: { 'not-sip': 2, missing_to: 1, duplicate_header: 3 },
      results: { valid: 60, invalid: 11 },
    });
  });

  test('ban with reason and duration, and unban', async () => {
    const banned = await ask('POST', `${top}/ban/203.0.113.9`, TOKENS.operate, '{"reason":"abuse","duration":"24h"}');
    expect([banned.status, banned.json]).toEqual([
      200,
      {
        ip: '203.0.113.9',
        reason: 'abuse',
        banned_at: '2026-11-20T08:00:00Z',
        expires_at: '2026-11-21T08:00:00Z',
        level: 0,
      },
    ]);
    expect((await ask('POST', `${top}/ban/203.0.113.9`, TOKENS.operate)).status).toBe(200);
    const lifted = await ask('DELETE', `${top}/unban/203.0.113.9`, TOKENS.operate);
    expect([lifted.status, lifted.json]).toEqual([
      200,
      { ip: '203.0.113.9', unbanned: true, removed: ['ban 203.0.113.9'] },
    ]);
    expect((await ask('DELETE', `${top}/unban/192.0.2.99`, TOKENS.operate)).status).toBe(404);
    expect((await ask('POST', `${top}/ban/203.0.113.9`, TOKENS.read)).status).toBe(403);
  });
});
