import { connect } from 'node:net';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startHttp } from '../../../src/admin/index.ts';
import type { HttpDoor, HttpOptions } from '../../../src/admin/index.ts';
import { HOSTILE, banRow, fakeOperations, fakeTokens } from './fake-operations.ts';
import type { FakeOperations } from './fake-operations.ts';

const TOKEN = 'correct-horse-battery-staple';
let operations: FakeOperations;
let door: HttpDoor | undefined;
let now = 0;

const start = async (more: Partial<HttpOptions> = {}): Promise<HttpDoor> => {
  door = await startHttp({
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    operations,
    tokens: fakeTokens(),
    clock: { now: () => now },
    ...more,
  });
  return door;
};

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: () => unknown;
}

const get = async (
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body?: string,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: door?.port, path, headers, method, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as unknown,
        });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const BANS = '/api/sip-guardian/bans';

beforeEach(() => {
  operations = fakeOperations();
  now = Date.UTC(2026, 10, 20, 9, 0, 0);
});
afterEach(async () => {
  await door?.close();
  door = undefined;
});

describe('/healthz', () => {
  test('says ok without token and without secrets', async () => {
    await start();
    const answer = await get('/healthz');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      status: 'ok',
      mode: 'enforce',
      uptime_seconds: 3_600,
      nodes: { connected: 0, total: 1 },
    });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect((await get('/healthz', {}, 'HEAD')).status).toBe(200);
  });

  test('says 503 when the status cannot be had', async () => {
    await start({ operations: { ...operations, status: () => Promise.reject(new Error('password of the database')) } });
    const answer = await get('/healthz');
    expect([answer.status, answer.text]).toEqual([503, '{"status":"failing"}']);
  });
});

describe('bans', () => {
  test('only bans, with RFC 3339 times, hostile text escaped', async () => {
    await start();
    const answer = await get(BANS, bearer(TOKEN));
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      bans: [
        {
          ip: '203.0.113.7',
          reason: HOSTILE,
          banned_at: '2026-11-20T08:00:00Z',
          expires_at: '2036-01-01T00:00:00Z',
          level: 1,
        },
        {
          ip: '198.51.100.0/24',
          reason: 'guessed passwords',
          banned_at: '2026-11-20T08:00:00Z',
          expires_at: null,
          level: 0,
        },
      ],
      total: 2,
    });
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(answer.text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  test('no bans, and twenty thousand of them', async () => {
    operations.bans.length = 0;
    await start();
    expect((await get(BANS, bearer(TOKEN))).text).toBe('{"bans":[],"total":0}');
    for (let index = 0; index < 20_000; index += 1) operations.bans.push(banRow(`10.0.${index >> 8}.${index & 255}`));
    const answer = (await get(BANS, bearer(TOKEN))).json() as { bans: unknown[]; total: number };
    expect([answer.bans.length, answer.total]).toEqual([20_000, 20_000]);
  });

  test.each([
    ['no header', {}],
    ['another token', bearer('wrong-horse-battery-staple')],
    ['a prefix of it', bearer(TOKEN.slice(0, -1))],
    ['nothing after Bearer', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['a very long one', bearer('x'.repeat(5_000))],
  ])('401 for %s', async (_name, headers) => {
    await start();
    const answer = await get(BANS, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.json()).toEqual({ error: { code: 'UNAUTHORIZED', message: expect.any(String) } });
    expect(operations.calls).toEqual([]);
  });

  test('wrong tokens are told to wait after ten in a minute; the right one still opens', async () => {
    const { stats } = await start();
    for (let index = 0; index < 10; index += 1) expect((await get(BANS, bearer('wrong'))).status).toBe(401);
    const limited = await get(BANS, bearer('wrong'));
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '60']);
    expect((await get(BANS, bearer(TOKEN))).status).toBe(200);
    now += 60_000;
    expect((await get(BANS, bearer('wrong'))).status).toBe(401);
    expect(stats()).toMatchObject({ unauthorized: 12, limited: 1 });
  });
});

describe('the rest', () => {
  test('404 as JSON for unknown paths and methods', async () => {
    await start();
    for (const [path, method] of [
      ['/', 'GET'],
      ['/metrics', 'GET'],
      ['/api/sip-guardian/bans', 'DELETE'],
      ['/%00', 'GET'],
      ['/../etc/passwd', 'GET'],
    ] as const) {
      const answer = await get(path, {}, method);
      expect([path, answer.status, answer.json()]).toEqual([
        path,
        404,
        { error: { code: 'NOT_FOUND', message: expect.any(String) } },
      ]);
    }
  });

  test('metrics when there are some', async () => {
    await start({
      metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'companion_up 1\n' }),
    });
    const answer = await get('/metrics');
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([
      200,
      'companion_up 1\n',
      'text/plain; version=0.0.4',
    ]);
  });

  test('a bug is a 500 without its details', async () => {
    const bugs: unknown[] = [];
    await start({
      operations: { ...operations, banList: () => Promise.reject(new Error('secret detail')) },
      onBug: (error) => {
        bugs.push(error);
      },
    });
    const answer = await get(BANS, bearer(TOKEN));
    expect([answer.status, answer.json()]).toEqual([
      500,
      { error: { code: 'INTERNAL', message: expect.not.stringContaining('secret') } },
    ]);
    expect(bugs).toHaveLength(1);
  });

  test('a body is cut off while it is read', async () => {
    await start();
    const answer = await get('/healthz', { 'content-type': 'text/plain' }, 'POST', 'x'.repeat(70_000));
    expect(answer.status).toBe(413);
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await get('/healthz', chunked, 'POST', 'x'.repeat(70_000))).status).toBe(413);
    expect((await get('/healthz', chunked, 'POST', 'x'.repeat(7_000))).status).toBe(404);
  });

  test('headers that are too long or not HTTP are refused, and the door stays open', async () => {
    await start();
    for (const bytes of [
      `GET /healthz HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
      '\x16\x03\x01\x02\x00',
      'REGISTER sip:x SIP/2.0\r\n\r\n',
    ]) {
      const socket = connect(door?.port ?? 0, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
    expect((await get('/healthz')).status).toBe(200);
  });

  test('a port in use is told in a sentence', async () => {
    const { port } = await start();
    await expect(
      startHttp({ listen: { host: '127.0.0.1', port }, token: TOKEN, operations, tokens: fakeTokens() }),
    ).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `Cannot listen for HTTP on 127.0.0.1:${port}: another program (another companion?) has it already. Stop it, or set http.listen to a free port.`,
    });
  });

  test('never beyond loopback unless told so', async () => {
    await expect(start({ listen: { host: '0.0.0.0', port: 0 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await start({
      listen: { host: '0.0.0.0', port: 0 },
      beyondLoopback: true,
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    });
    expect((await get('/metrics')).status).toBe(401);
    expect((await get('/metrics', bearer(TOKEN))).status).toBe(200);
  });
});
