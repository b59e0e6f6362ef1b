import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DAY, MINUTE, feedBench } from './feed-bench.ts';
import type { FakeAnswer } from '../fake-server.ts';
import type { FeedBench } from './feed-bench.ts';

const V1 = { name: 'apiban', type: 'apiban', api_key: 'secret-key', version: 1, set: 'sip' };
const V2 = { ...V1, version: 2 };

let bench: FeedBench;
const listed = (ip: string): string | undefined => bench.desk.listing(ip)?.state;
const page = (ipaddress: unknown, ID: unknown, status = 200) => ({ status, body: JSON.stringify({ ipaddress, ID }) });
const END = page(['no new bans'], 'none', 400);

beforeEach(async () => {
  bench = await feedBench();
});
afterEach(async () => bench.close());

describe('version 1', () => {
  test('reads page after page, goes on from there, and after a restart as well', async () => {
    const pages: Record<string, object> = {
      '100': page(['203.0.113.7', '203.0.113.8'], '1643000001'),
      '1643000001': page(['198.51.100.9'], '1643000002'),
    };
    bench.server.answer = ({ path }) => pages[path.split('/').at(-1) ?? ''] ?? END;
    bench.use(V1);
    await bench.desk.look();
    expect(bench.server.asked.map(({ path }) => path)).toEqual([
      '/api/secret-key/banned/100',
      '/api/secret-key/banned/1643000001',
      '/api/secret-key/banned/1643000002',
    ]);
    expect(bench.desk.listing('203.0.113.7')).toMatchObject({
      state: 'banned',
      reason: 'listed by apiban',
      until: bench.clock.at + 7 * DAY,
    });
    expect([listed('198.51.100.9'), listed('192.0.2.1')]).toEqual(['banned', undefined]);
    await bench.desk.look();
    expect(bench.server.asked).toHaveLength(3);
    bench.clock.at += 4 * MINUTE;
    await bench.restart(V1);
    expect(listed('203.0.113.8')).toBe('banned');
    await bench.desk.look();
    expect(bench.server.asked.at(-1)?.path).toBe('/api/secret-key/banned/1643000002');
    bench.clock.at += 7 * DAY;
    expect(listed('203.0.113.7')).toBeUndefined();
  });

  test('never asks more than its limit allows; what comes before the limit counts', async () => {
    let next = 100;
    bench.server.answer = () => page([`203.0.113.${next - 99}`], String((next += 1)));
    bench.use(V1);
    await bench.desk.look();
    expect(bench.server.asked).toHaveLength(10);
    bench.clock.at += 4 * MINUTE;
    bench.server.answer = () =>
      bench.server.asked.length > 12
        ? page('rate limit exceeded', 'unauthorized', 429)
        : page(['192.0.2.77'], String((next += 1)));
    await bench.desk.look();
    expect(listed('192.0.2.77')).toBe('banned');
    expect(bench.alarms.size).toBe(0);
    bench.clock.at += 4 * MINUTE;
    await bench.desk.look();
    expect(bench.server.asked).toHaveLength(13);
  });

  test('that lists our carrier: no effect, and an alarm that stands for a day', async () => {
    bench.protect = [{ subject: '203.0.113.0/24', what: 'peer carrier' }];
    bench.server.answer = ({ path }) => (path.endsWith('/100') ? page(['203.0.113.7', '192.0.2.1'], '200') : END);
    bench.use(V1);
    await bench.desk.look();
    bench.clock.at += 4 * MINUTE;
    await bench.desk.look();
    expect([listed('203.0.113.7'), listed('192.0.2.1')]).toEqual([undefined, 'banned']);
    expect(bench.alarms.get('feed apiban')).toContain('203.0.113.7/32 hits 203.0.113.0/24 (peer carrier)');
    bench.clock.at += DAY;
    await bench.desk.look();
    expect(bench.alarms.size).toBe(0);
  });

  test('what becomes ours later is taken out again', async () => {
    bench.server.answer = ({ path }) => (path.endsWith('/100') ? page(['203.0.113.7'], '200') : END);
    bench.use(V1);
    await bench.desk.look();
    expect(listed('203.0.113.7')).toBe('banned');
    bench.protect = [{ subject: '203.0.113.0/24', what: 'peer carrier' }];
    bench.clock.at += 4 * MINUTE;
    await bench.desk.look();
    expect(listed('203.0.113.7')).toBeUndefined();
  });

  test('the same ID for ever is the end', async () => {
    bench.server.answer = () => page(['203.0.113.7'], '100');
    bench.use(V1);
    await bench.desk.look();
    expect(bench.server.asked).toHaveLength(1);
  });

  test('unknown fields, and things that are no addresses', async () => {
    bench.server.answer = ({ path }) =>
      path.endsWith('/100')
        ? { body: JSON.stringify({ ipaddress: ['203.0.113.7', 5, null, 'x', '10.0.0.1', { a: 1 }], ID: 200, ttl: 9 }) }
        : END;
    bench.use(V1);
    await bench.desk.look();
    expect(bench.desk.rows()[0]).toMatchObject({ entries: 1, left: { unread: 1, nobody: 1 }, lastError: '' });
  });
});

/** Every error body that formats.md (E1) names, and what else comes from servers and proxies. */
const WRONG: readonly [string, FakeAnswer, RegExp][] = [
  ['a wrong key', page('none', 'unauthorized', 403), /does not accept the key/],
  ['a wrong key with another status', page('none', 'unauthorized'), /does not accept the key/],
  ['its limit', page('rate limit exceeded', 'unauthorized', 429), /limit of requests/],
  ['an error of the server', { status: 502, body: '<html>' }, /answered 502/],
  ['a page about something else', { status: 200, body: '<html>welcome</html>' }, /no JSON/],
  ['no addresses', page('x', '12'), /something else than addresses/],
  ['an ID that is none', page([], '../../etc'), /something else than addresses/],
  ['400 with an ID', page([], '12', 400), /something else than addresses/],
  ['JSON of another shape', { status: 200, body: '[]' }, /something else than addresses/],
  ['null', { status: 200, body: 'null' }, /something else than addresses/],
  ['a connection that breaks', { body: '{', breaks: true }, /broke|terminated|other side/],
  ['an answer without end', { body: 'x'.repeat(300_000) }, /more than 262144 bytes/],
  ['nothing at all', { status: 200, body: '' }, /no JSON/],
  ['a page in front of it', { status: 200, body: '{"message":"maintenance"}' }, /something else than addresses/],
  ['another status', { status: 401, body: '{"error":"unauthorized"}' }, /does not accept the key/],
  ['a 400 about the request', { status: 400, body: '{"error":"bad set"}' }, /something else than addresses/],
];

describe.each([V1, V2])('version $version', (settings) => {
  test.each(WRONG)('%s changes nothing and is an alarm', async (_, answer, message) => {
    bench.server.answer = ({ path, body }) =>
      path.endsWith('/100') || body.includes('"id":"100"') ? page(['203.0.113.7'], '200') : END;
    bench.use(settings);
    await bench.desk.look();
    bench.server.answer = () => answer;
    bench.clock.at += 4 * MINUTE;
    await bench.desk.look();
    expect(listed('203.0.113.7')).toBe('banned');
    expect(bench.alarms.get('feed apiban')).toMatch(message);
    expect(bench.alarms.get('feed apiban')).toContain('Last read: 4m ago; what it said then goes on');
    expect([...bench.alarms.values()].join()).not.toContain('secret-key');
    bench.server.answer = () => END;
    bench.clock.at += 8 * MINUTE;
    await bench.desk.look();
    expect(bench.alarms.size).toBe(0);
  });
});

test('version 2: the set and the ID in the body, the key in a header', async () => {
  bench.server.answer = ({ body }) =>
    (JSON.parse(body) as { id: string }).id === '100' ? page(['203.0.113.7'], '200') : END;
  bench.use(V2);
  await bench.desk.look();
  expect(bench.server.asked[0]).toMatchObject({
    method: 'POST',
    path: '/api/get',
    headers: { authorization: 'Bearer secret-key', 'content-type': 'application/json' },
    body: '{"set":"sip","id":"100"}',
  });
  expect(listed('203.0.113.7')).toBe('banned');
});

test('a damaged state is fetched from the start', async () => {
  bench.server.answer = ({ path }) => (path.endsWith('/100') ? page(['203.0.113.7'], '200') : END);
  bench.use({ ...V1, name: 'one' });
  await bench.desk.look();
  await bench.restart({ ...V1, name: 'two' });
  await bench.desk.look();
  expect(bench.server.asked.filter(({ path }) => path.endsWith('/100'))).toHaveLength(2);
});
