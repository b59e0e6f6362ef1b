/** What programs hand to the hook over HTTP: as JSON, and as `message/sip` with the source in the query. */
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startHttp } from '../../../src/admin/index.ts';
import type { HttpDoor } from '../../../src/admin/index.ts';
import type { GivenOutcome, GivenRequest, HookDesk } from '../../../src/model/index.ts';
import { AT, fakeOperations, fakeTokens } from './fake-operations.ts';

const HOOK = 'hook-token-1234567';
const SIP = 'message/sip';
const FROM = 'ip=192.0.2.1&port=5060';

interface Given {
  readonly decided: GivenRequest[];
  readonly told: GivenRequest[];
  readonly reported: GivenOutcome[];
  readonly frames: Buffer[];
}
let given: Given;
let door: HttpDoor;

interface Answer {
  readonly status: number;
  readonly json: unknown;
}
const post = async (path: string, body: Buffer | string, type = SIP, token = HOOK): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': type, authorization: `Bearer ${token}` };
    const where = { host: '127.0.0.1', port: door.port, path, method: 'POST', headers, agent: false };
    const asked = request(where, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) as unknown }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
const refused = (sentence: string) => ({
  status: 400,
  json: { error: { code: 'REQUEST_INVALID', message: expect.stringContaining(sentence) } },
});

beforeEach(async () => {
  given = { decided: [], told: [], reported: [], frames: [] };
  const hook: HookDesk = {
    decide: (one) => {
      given.decided.push(one);
      return 'challenge';
    },
    tell: (one) => void given.told.push(one),
    report: (one) => void given.reported.push(one),
    frame: (bytes) => void given.frames.push(bytes),
  };
  door = await startHttp({
    listen: { host: '127.0.0.1', port: 0 },
    token: 'correct-horse-battery-staple',
    tokens: fakeTokens(),
    operations: fakeOperations(),
    hook,
    clock: { now: () => AT },
  });
});
afterEach(async () => {
  await door.close();
});

describe('a body of message/sip', () => {
  test('is the message, byte for byte; the query says where it came from', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    const path = `/v1/decide?node=edge1&ip=2001:db8::7&port=5061&transport=tls&standing=good&credentials=bound`;
    expect(await post(path, bytes)).toEqual({ status: 200, json: { answer: 'challenge' } });
    expect(given.decided).toEqual([
      {
        node: 'edge1',
        ip: '2001:db8::7',
        port: 5061,
        transport: 'tls',
        standing: 'good',
        credentials: 'bound',
        message: bytes,
      },
    ]);
  });

  test.each(['message/sip', 'Message/SIP', 'message/sip; charset=utf-8'])('declared as %s', async (type) => {
    expect((await post(`/v1/decide?${FROM}`, 'OPTIONS', type)).status).toBe(200);
    expect(given.decided[0]!.message.toString()).toBe('OPTIONS');
  });

  test('of anything else is not taken for one', async () => {
    for (const type of ['message/sipfrag', 'text/plain', 'x/message/sip'])
      expect(await post(`/v1/decide?${FROM}`, 'OPTIONS sip:a SIP/2.0', type)).toEqual(refused('The body is not JSON'));
    expect(given.decided).toEqual([]);
  });

  test('has modest defaults: a stranger over UDP whose credentials prove nothing', async () => {
    await post('/v1/decide?ip=192.0.2.1', 'OPTIONS sip:a SIP/2.0\r\n\r\n');
    await post('/v1/decide?ip=192.0.2.1', 'REGISTER sip:a SIP/2.0\r\nAuthorization : Digest x\r\n\r\n');
    await post('/v1/decide?ip=192.0.2.1', 'INVITE sip:a SIP/2.0\r\nproxy-authorization: Digest x\r\n\r\n');
    const modest = { node: 'http', ip: '192.0.2.1', port: 0, transport: 'udp', standing: 'stranger' };
    expect(given.decided).toEqual([
      { ...modest, credentials: 'none', message: expect.any(Buffer) },
      { ...modest, credentials: 'unbound', message: expect.any(Buffer) },
      { ...modest, credentials: 'unbound', message: expect.any(Buffer) },
    ]);
  });

  test('cannot be replaced by the query, and is not read as JSON', async () => {
    const body = '{"ip":"203.0.113.9","message":"x"}';
    await post(`/v1/decide?${FROM}&message_base64=QUFBQQ==&message=other&author=root`, body);
    expect(given.decided).toMatchObject([{ ip: '192.0.2.1' }]);
    expect(given.decided[0]!.message.toString()).toBe(body);
  });

  test('may be empty; it is for the SIP reader to say what it is', async () => {
    expect((await post(`/v1/decide?${FROM}`, '')).status).toBe(200);
    expect(given.decided[0]!.message).toHaveLength(0);
  });

  test('is told with /v1/report, or reported as garbage with its proof', async () => {
    expect(await post(`/v1/report?${FROM}`, 'OPTIONS')).toEqual({ status: 200, json: { taken: true } });
    expect(await post(`/v1/report?${FROM}&type=garbage`, '\0\0')).toMatchObject({ status: 200 });
    expect(await post(`/v1/report?${FROM}&type=garbage&bound=true`, '\0\0')).toMatchObject({ status: 200 });
    expect(given.told).toMatchObject([{ ip: '192.0.2.1', port: 5060, message: Buffer.from('OPTIONS') }]);
    expect(given.reported).toMatchObject([
      { type: 'garbage', bound: false, message: Buffer.from([0, 0]) },
      { type: 'garbage', bound: true },
    ]);
  });

  test.each([
    ['', 'ip'],
    ['ip=192.0.2.1&port=70000', 'port'],
    ['ip=192.0.2.1&port=x', 'port'],
    ['ip=192.0.2.1&transport=carrier-pigeon', 'transport'],
    ['ip=192.0.2.1&standing=allowed', 'standing'],
    ['ip=192.0.2.1&credentials=proven', 'credentials'],
    ['ip=192.0.2.1&node=../../etc', 'node'],
    ['ip=192.0.2.1&colour=red', 'colour'],
    [`ip=${'1'.repeat(46)}`, 'ip'],
  ])('with the query %s is refused, and the sentence names %s', async (query, name) => {
    expect(await post(`/v1/decide?${query}`, 'OPTIONS')).toEqual(refused(name));
    expect(given.decided).toEqual([]);
  });

  test('of more than a frame could hold is refused, and of more than 64 KB not read', async () => {
    expect((await post(`/v1/decide?${FROM}`, Buffer.alloc(29_000, 65))).status).toBe(200);
    expect(await post(`/v1/decide?${FROM}`, Buffer.alloc(40_000, 65))).toEqual(refused('message_base64'));
    expect((await post(`/v1/decide?${FROM}`, Buffer.alloc(70_000, 65))).status).toBe(413);
    expect(given.decided).toHaveLength(1);
  });

  test('needs the scope hook, and opens nothing else', async () => {
    expect((await post(`/v1/decide?${FROM}`, 'OPTIONS', SIP, 'wrong')).status).toBe(401);
    expect((await post(`/v1/decide?${FROM}`, 'OPTIONS', SIP, 'read-token-123456')).status).toBe(403);
    expect(given.decided).toEqual([]);
    // elsewhere a body is JSON or nothing
    expect(await post('/v1/bans', 'subject=203.0.113.7', SIP, 'operate-token-1234')).toEqual(
      refused('The body is not JSON'),
    );
  });
});

describe('a body of JSON', () => {
  const json = 'application/json';
  test('holds the message as text or as base64', async () => {
    const source = { ip: '192.0.2.1', port: 5060 };
    await post('/v1/decide', JSON.stringify({ ...source, message: 'OPTIONS ü' }), json);
    await post('/v1/decide', JSON.stringify({ ...source, message_base64: '/wD+' }), json);
    expect(given.decided.map(({ message }) => message)).toEqual([
      Buffer.from('OPTIONS ü', 'utf8'),
      Buffer.from([0xff, 0, 0xfe]),
    ]);
    expect(await post('/v1/decide', JSON.stringify(source), json)).toEqual(refused("'message' is missing"));
    expect(await post('/v1/decide', JSON.stringify({ ...source, message_base64: '%%' }), json)).toEqual(
      refused('message_base64'),
    );
  });

  test('reports outcomes, and says what is missing', async () => {
    const source = { ip: '192.0.2.1', port: 5060 };
    for (const [body, missing] of [
      [{ type: 'auth' }, 'result'],
      [{ type: 'registered' }, 'expires'],
      [{ type: 'reply' }, 'code'],
      [{ type: 'garbage' }, 'message'],
    ] as const)
      expect(await post('/v1/report', JSON.stringify({ ...source, ...body }), json)).toEqual(
        refused(`'${missing}' is missing`),
      );
    expect(given.reported).toEqual([]);
    await post('/v1/report', JSON.stringify({ ...source, type: 'reply', code: 404, target: 'bob' }), json);
    expect(given.reported).toMatchObject([{ type: 'reply', code: 404, target: 'bob', bound: false }]);
  });

  test('hands frames on as they are', async () => {
    expect(await post('/v1/decide', JSON.stringify({ frame: 'C1 ÿ' }), json)).toEqual({
      status: 200,
      json: { answer: 'allow' },
    });
    expect(given.frames).toEqual([Buffer.from('C1 \xff', 'latin1')]);
  });
});
