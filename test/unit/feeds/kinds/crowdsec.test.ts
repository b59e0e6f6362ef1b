import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { goDurationMs } from '../../../../src/feeds/kinds/crowdsec.ts';
import { HOUR, MINUTE, feedBench } from './feed-bench.ts';
import type { FeedBench } from './feed-bench.ts';

const LAPI = { name: 'crowdsec', type: 'crowdsec', api_key: 'secret-key', origins: [], every: 10_000 };

let bench: FeedBench;
const listed = (ip: string): string | undefined => bench.desk.listing(ip)?.state;
const decision = (value: string, part: object = {}) => ({
  id: 1,
  origin: 'CAPI',
  type: 'ban',
  scope: 'Ip',
  value,
  duration: '3h59m58.1s',
  scenario: 'x',
  simulated: false,
  ...part,
});
const answer = (added: unknown, deleted: unknown = null) => ({ body: JSON.stringify({ new: added, deleted }) });
const later = async (ms = 10_000): Promise<void> => {
  bench.clock.at += ms;
  await bench.desk.look();
};

beforeEach(async () => {
  bench = await feedBench();
});
afterEach(async () => bench.close());

describe('the stream', () => {
  test('everything first, then what has changed; null is an empty list', async () => {
    bench.server.answer = () => answer([decision('203.0.113.7'), decision('198.51.100.0/24', { scope: 'range' })]);
    bench.use({ ...LAPI, origins: ['CAPI', 'lists'] });
    await bench.desk.look();
    expect(bench.server.asked[0]).toMatchObject({
      path: '/v1/decisions/stream?startup=true&scopes=ip,range&origins=CAPI,lists',
      headers: { 'x-api-key': 'secret-key' },
    });
    expect([listed('203.0.113.7'), listed('198.51.100.9')]).toEqual(['banned', 'banned']);
    bench.server.answer = () => answer(null);
    await later();
    expect(bench.server.asked[1]?.path).toContain('startup=false');
    bench.server.answer = () => answer([decision('192.0.2.5')], [decision('203.0.113.7', { duration: '-5s' })]);
    await later();
    expect([listed('203.0.113.7'), listed('198.51.100.9'), listed('192.0.2.5')]).toEqual([
      undefined,
      'banned',
      'banned',
    ]);
    await later(4 * HOUR);
    expect(listed('198.51.100.9')).toBeUndefined();
  });

  test('whole providers are challenged, and what covers too much of the Internet is left out', async () => {
    const ranges = Array.from({ length: 256 }, (_, n) =>
      decision(`${60 + (n >> 4)}.${(n & 15) << 4}.0.0/12`, { scope: 'range' }),
    );
    bench.server.answer = () => answer([...ranges, decision('203.0.113.7')]);
    bench.use(LAPI);
    await bench.desk.look();
    // 81 networks of /12 are 2 % of all addresses
    expect(['60.0.0.1', '65.0.0.1', '65.16.0.1', '203.0.113.7'].map(listed)).toEqual([
      'quarantined',
      'quarantined',
      undefined,
      'banned',
    ]);
    expect(bench.desk.rows()[0]).toMatchObject({ entries: 82, left: { 'too-much': 175 } });
  });

  test('captchas, simulations, other scopes and our own are not taken', async () => {
    bench.server.answer = () =>
      answer([
        decision('203.0.113.1', { type: 'captcha' }),
        decision('203.0.113.2', { simulated: true }),
        decision('CN', { scope: 'Country' }),
        decision('203.0.113.4', { origin: 'companion' }),
        decision('nonsense'),
        'text',
        null,
      ]);
    bench.use(LAPI);
    await bench.desk.look();
    expect(bench.desk.rows()[0]).toMatchObject({
      entries: 0,
      left: { 'other-type': 1, simulated: 1, 'other-scope': 3, own: 1, unread: 1 },
    });
  });

  test.each([
    ['a wrong key', { status: 403, body: '{"message":"access forbidden"}' }, /does not accept the key/],
    ['an error', { status: 500, body: '{"message":"database is locked"}' }, /answered 500/],
    ['no JSON', { body: 'nope' }, /no JSON/],
    ['no key', { status: 401, body: '{"message":"cookie token is empty"}' }, /does not accept the key/],
    ['a path that it does not have', { status: 404, body: '404 page not found' }, /answered 404/],
    ['nothing at all', { body: '' }, /no JSON/],
    ['null, as a question about one address is answered', { body: 'null' }, /something else than decisions/],
    ['a list, as that question is answered', { body: '[]' }, /something else than decisions/],
    ['a page in front of it', { body: '{"message":"maintenance"}' }, /something else than decisions/],
    ['no list of what ended', { body: '{"new":[],"deleted":{}}' }, /without a list of deleted/],
    ['no list', { body: '{"new":5}' }, /without a list of new/],
    ['half an answer', { body: '{"new":[', breaks: true }, /broke|terminated|other side/],
  ])('%s changes nothing, and everything is asked for again', async (_, wrong, message) => {
    bench.server.answer = () => answer([decision('203.0.113.7')]);
    bench.use(LAPI);
    await bench.desk.look();
    bench.server.answer = () => wrong;
    await later();
    expect(bench.alarms.get('feed crowdsec')).toMatch(message);
    expect(listed('203.0.113.7')).toBe('banned');
    // what the failed answer held is sent only once: a deletion would be lost
    bench.server.answer = () => answer([decision('192.0.2.5')]);
    await later(20_000);
    expect(bench.server.asked.at(-1)?.path).toContain('startup=true');
    expect([listed('203.0.113.7'), listed('192.0.2.5')]).toEqual([undefined, 'banned']);
    expect(bench.alarms.size).toBe(0);
  });

  test('without news, what was looked up stays; once a minute it is looked up anew, for entries end by themselves', async () => {
    bench.server.answer = () => answer([decision('203.0.113.7')]);
    bench.use(LAPI);
    await bench.desk.look();
    const before = bench.changed();
    bench.server.answer = () => answer(null);
    await later();
    await later();
    expect(bench.changed()).toBe(before);
    await later(MINUTE);
    expect(bench.changed()).toBe(before + 1);
    bench.server.answer = () => answer(null, [decision('203.0.113.7')]);
    await later();
    expect(bench.changed()).toBe(before + 2);
  });

  test('everything again every six hours', async () => {
    bench.server.answer = () => answer([]);
    bench.use(LAPI);
    await bench.desk.look();
    await later(6 * HOUR + MINUTE);
    expect(bench.server.asked.at(-1)?.path).toContain('startup=true');
  });
});

test.each([
  ['3h59m58.1s', 14_398_100],
  ['-3s', -3_000],
  ['1h', 3_600_000],
  ['250ms', 250],
  ['0s', 0],
  ['4', undefined],
  ['4d', undefined],
  ['', undefined],
])('Go duration %s', (text, ms) => {
  expect(goDurationMs(text)).toBe(ms);
});
