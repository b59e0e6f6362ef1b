import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dnsblName } from '../../../../src/feeds/kinds/dnsbl.ts';
import { DAY, HOUR, MINUTE, feedBench } from './feed-bench.ts';
import type { FeedBench } from './feed-bench.ts';

const LIST = { name: 'voipbl', type: 'list', every: 4 * HOUR };
let bench: FeedBench;
const listed = (ip: string): string | undefined => bench.desk.listing(ip)?.state;
const later = async (ms: number): Promise<void> => {
  bench.clock.at += ms;
  await bench.desk.look();
};

beforeEach(async () => {
  bench = await feedBench();
});
afterEach(async () => bench.close());

describe('a list', () => {
  const TEXT =
    '# VoIPBL\n203.0.113.7\n198.51.100.0/24\n2001:db8:5::/48\n192.0.2.5 ; scanner\n192.0.2.6,3,2026-11-20\n10.0.0.1\n\n';

  test('of addresses and networks, with remarks and more columns; private ones are nobody', async () => {
    bench.server.answer = () => ({ body: TEXT, headers: { etag: '"1"' } });
    bench.use(LIST);
    await bench.desk.look();
    for (const ip of ['203.0.113.7', '198.51.100.200', '2001:db8:5::9', '192.0.2.5', '192.0.2.6'])
      expect(listed(ip)).toBe('banned');
    expect([listed('203.0.113.8'), listed('10.0.0.1')]).toEqual([undefined, undefined]);
    expect(bench.desk.rows()[0]).toMatchObject({ entries: 5, left: { nobody: 1, unread: 0 }, hits: 0 });
    bench.server.answer = () => ({ status: 304 });
    await later(4 * HOUR);
    expect(bench.server.asked.at(-1)?.headers['if-none-match']).toBe('"1"');
    expect(listed('203.0.113.7')).toBe('banned');
    bench.server.answer = () => ({ body: '203.0.113.8\n' });
    await later(4 * HOUR);
    expect([listed('203.0.113.7'), listed('203.0.113.8')]).toEqual([undefined, 'banned']);
  });

  test.each([
    ['nothing', { body: '' }, /no addresses in it/],
    ['only remarks', { body: '# gone\n# for ever\n' }, /no addresses in it/],
    ['a page', { body: '<html>\n<p>1.2.3.4</p>\n</html>\n203.0.113.7\n' }, /of its 4 lines are no addresses/],
    ['an error', { status: 503 }, /answered 503/],
    ['a limit', { status: 429, body: 'slow down\n' }, /answered 429/],
    ['half of it', { body: '203.0.113.8\n', breaks: true }, /broke|terminated|other side/],
    [
      'another kind of file',
      { body: Buffer.from('PK\u0003\u0004\0\0 203.0.113.8'.repeat(50), 'utf16le') },
      /no addresses/,
    ],
    ['not modified, though we have nothing like it', { status: 404 }, /answered 404/],
    [
      'a redirect to another scheme',
      { status: 301, headers: { location: 'file:///etc/passwd' } },
      /redirects to nowhere/,
    ],
  ])('%s changes nothing', async (_, wrong, message) => {
    bench.server.answer = () => ({ body: TEXT });
    bench.use(LIST);
    await bench.desk.look();
    bench.server.answer = () => wrong;
    await later(4 * HOUR);
    expect(listed('203.0.113.7')).toBe('banned');
    expect(bench.alarms.get('feed voipbl')).toMatch(message);
  });

  test('that lists our carrier and our customers has no effect on them, and is an alarm', async () => {
    bench.protect = [
      { subject: '198.51.100.0/24', what: 'peer carrier' },
      { subject: '192.0.2.200/32', what: 'this server' },
    ];
    bench.customers.add('203.0.113.50');
    bench.server.answer = () => ({
      body: '198.51.100.9\n198.51.0.0/16\n192.0.2.0/24\n203.0.113.50\n203.0.112.0/22\n0.0.0.0/0\n203.0.113.7\n8.0.0.0/8\n',
    });
    bench.use(LIST);
    await bench.desk.look();
    for (const ip of [
      '198.51.100.9',
      '198.51.100.1',
      '198.51.77.1',
      '192.0.2.200',
      '192.0.2.1',
      '203.0.113.50',
      '8.8.8.8',
    ])
      expect([ip, listed(ip)]).toEqual([ip, undefined]);
    expect(listed('203.0.113.7')).toBe('banned');
    expect(bench.desk.rows()[0]).toMatchObject({ entries: 1, hits: 5, left: { 'too-wide': 2 } });
    expect(bench.alarms.get('feed voipbl')).toContain('lists 5 of ours, which were left out');
    expect(bench.alarms.get('feed voipbl')).toContain('198.51.100.9 hits 198.51.100.0/24 (peer carrier)');
    expect(bench.alarms.get('feed voipbl')).toContain('203.0.113.50 hits 203.0.113.50 (a registered phone)');
    bench.server.answer = () => ({ status: 304 });
    await later(4 * HOUR);
    expect(bench.alarms.get('feed voipbl')).toContain('lists 5 of ours');
    bench.server.answer = () => ({ body: '203.0.113.7\n' });
    await later(4 * HOUR);
    expect(bench.alarms.size).toBe(0);
  });

  test('that hits many of ours is not taken at all', async () => {
    for (let index = 0; index < 60; index += 1) bench.customers.add(`203.0.113.${index}`);
    bench.server.answer = () => ({ body: '192.0.2.5\n' });
    bench.use(LIST);
    await bench.desk.look();
    bench.server.answer = () => ({ body: `192.0.2.6\n${[...bench.customers].join('\n')}\n` });
    await later(4 * HOUR);
    expect([listed('192.0.2.5'), listed('192.0.2.6')]).toEqual(['banned', undefined]);
    expect(bench.alarms.get('feed voipbl')).toMatch(/60 of its lines hit peers, customers or this server/);
  });

  const sixteens = (first: number, count: number): string =>
    Array.from({ length: count }, (_, n) => `${first + (n >> 8)}.${n & 255}.0.0/16`).join('\n');

  test('that covers more of the Internet than attackers have is not taken at all', async () => {
    const all = Array.from({ length: 4_096 }, (_, n) => `${n >> 4}.${(n & 15) << 4}.0.0/12`).join('\n');
    bench.server.answer = () => ({ body: all });
    bench.use(LIST);
    await bench.desk.look();
    expect([listed('8.8.8.8'), listed('62.1.2.3')]).toEqual([undefined, undefined]);
    expect(bench.alarms.get('feed voipbl')).toMatch(/covers \d+\.\d % of all IPv4 addresses, at most 2 % are taken/);
    const v6 = Array.from(
      { length: 600 },
      (_, n) => `2a${(n >> 8).toString(16)}0:${((n & 255) << 4).toString(16)}::/28`,
    );
    bench.server.answer = () => ({ body: v6.join('\n') });
    await later(4 * HOUR);
    expect(listed('2a00:10::1')).toBeUndefined();
    expect(bench.alarms.get('feed voipbl')).toMatch(/as much as 9600 IPv6 networks of \/32/);
    // the same addresses in other words are counted once
    bench.server.answer = () => ({ body: `${sixteens(60, 1_000)}\n${sixteens(60, 1_000).replaceAll('/16', '/17')}\n` });
    await later(8 * HOUR);
    expect(bench.alarms.size).toBe(0);
    expect(listed('60.0.0.1')).toBe('banned');
  });

  test('that grows tenfold from one poll to the next waits a day, and an operator is told', async () => {
    bench.server.answer = () => ({ body: sixteens(60, 10) });
    bench.use(LIST);
    await bench.desk.look();
    bench.server.answer = () => ({ body: `${sixteens(70, 110)}\n` });
    await later(4 * HOUR);
    expect([listed('60.0.0.1'), listed('70.0.0.1')]).toEqual(['banned', undefined]);
    expect(bench.alarms.get('feed voipbl')).toMatch(/lists 7208960 IPv4 addresses, 655360 before: none of it is taken/);
    // an honest list that was damaged once
    bench.server.answer = () => ({ body: sixteens(60, 11) });
    await later(8 * HOUR);
    expect(bench.alarms.size).toBe(0);
    bench.server.answer = () => ({ body: `${sixteens(70, 120)}\n` });
    await later(4 * HOUR);
    expect(listed('70.0.0.1')).toBeUndefined();
    await later(DAY);
    expect(listed('70.0.0.1')).toBe('banned');
  });

  test('of whole providers has their addresses challenged, not banned', async () => {
    bench.server.answer = () => ({ body: '60.0.0.0/15\n60.0.7.0/24\n61.1.0.0/16\n2a00:10::/31\n2a01:10::/32\n' });
    bench.use(LIST);
    await bench.desk.look();
    expect(['60.0.0.1', '60.0.7.1', '61.1.2.3', '2a00:11::1', '2a01:10::1'].map(listed)).toEqual([
      'quarantined',
      'banned',
      'banned',
      'quarantined',
      'banned',
    ]);
  });

  test('alone is believed for a day, then it only challenges; two together go on', async () => {
    bench.server.answer = ({ path }) => ({ body: path === '/b' ? '192.0.2.5\n' : '203.0.113.7\n192.0.2.5\n' });
    bench.use(LIST, { ...LIST, name: 'other', url: `${bench.server.url}/b` });
    for (let hour = 0; hour < 52; hour += 4) await later(4 * HOUR);
    expect(bench.desk.listing('203.0.113.7')).toMatchObject({ state: 'quarantined', feeds: ['voipbl'] });
    expect(bench.desk.listing('192.0.2.5')).toMatchObject({ state: 'banned', reason: 'listed by voipbl, other' });
  });

  test('in a file; long ones are read in a thread', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'feed-'));
    const file = join(folder, 'list');
    const lines = Array.from({ length: 100_000 }, (_, n) => `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    writeFileSync(file, lines.join('\n'));
    bench.use({ name: 'mine', type: 'list', file, url: undefined });
    await bench.desk.look();
    expect(bench.desk.rows()[0]).toMatchObject({ entries: 100_000, lastError: '' });
    expect([listed('11.1.134.159'), listed('11.1.134.160')]).toEqual(['banned', undefined]);
    rmSync(folder, { recursive: true });
    await later(4 * HOUR);
    expect(bench.alarms.get('feed mine')).toContain('the file is not there');
    expect(listed('11.0.0.1')).toBe('banned');
  });

  test('has a switch, and an action', async () => {
    bench.server.answer = () => ({ body: '203.0.113.7\n' });
    bench.use({ ...LIST, action: 'challenge' });
    await bench.desk.look();
    expect(listed('203.0.113.7')).toBe('quarantined');
    bench.desk.switch('voipbl', false, 'ana');
    expect(listed('203.0.113.7')).toBeUndefined();
    bench.desk.switch('voipbl', true, 'ana');
    expect(listed('203.0.113.7')).toBe('quarantined');
    bench.use({ ...LIST, action: 'log' });
    expect(listed('203.0.113.7')).toBeUndefined();
    bench.use({ ...LIST, enabled: false });
    expect(bench.desk.rows()).toMatchObject([{ on: false }]);
    bench.use();
    expect(bench.desk.rows()).toEqual([]);
    expect(() => bench.desk.switch('voipbl', true, 'ana')).toThrow("There is no feed 'voipbl'");
  });

  test('is switched by hand until its configuration says something new', async () => {
    const row = () => bench.desk.rows()[0];
    bench.use(LIST);
    expect(row()).toMatchObject({ on: true, switched: null });
    bench.desk.switch('voipbl', false, 'ana');
    const byAna = { on: false, switched: { by: 'ana', at: bench.clock.at } };
    expect(row()).toMatchObject(byAna);
    bench.clock.at += DAY;
    // neither a restart nor a reload that says nothing new of it
    await bench.restart(LIST);
    expect(row()).toMatchObject(byAna);
    bench.use({ ...LIST, action: 'log' });
    expect(row()).toMatchObject(byAna);
    // the configuration has said something new since, and this is what it says now
    bench.use({ ...LIST, enabled: false });
    expect(row()).toMatchObject({ on: false, switched: null });
    bench.use(LIST);
    expect(row()).toMatchObject({ on: true, switched: null });
    // back to what is configured is by hand no more
    bench.desk.switch('voipbl', false, 'ana');
    bench.desk.switch('voipbl', true, 'ben');
    expect(row()).toMatchObject({ on: true, switched: null });
    // a feed that was taken out comes back as it is configured
    bench.desk.switch('voipbl', false, 'ana');
    bench.use();
    bench.use(LIST);
    expect(row()).toMatchObject({ on: true, switched: null });
  });
});

describe('a list over DNS', () => {
  const ZONE = { name: 'shelter', type: 'dnsbl', zone: 'dnsbl.example.org', reversed: true, every: MINUTE };

  test('is asked about strangers, behind their backs, and remembers', async () => {
    bench.zone['7.113.0.203.dnsbl.example.org'] = ['127.0.0.2'];
    bench.use(ZONE);
    expect(listed('203.0.113.7')).toBeUndefined();
    bench.desk.see('203.0.113.7');
    await vi.waitFor(() => expect(listed('203.0.113.7')).toBe('banned'));
    bench.desk.see('203.0.113.8');
    bench.clock.at += HOUR;
    expect(listed('203.0.113.7')).toBeUndefined();
    expect(listed('203.0.113.8')).toBeUndefined();
  });

  test('that answers everything, or says that it will not answer, lists nobody and is an alarm', async () => {
    bench.use(ZONE);
    await bench.desk.look();
    for (let octet = 1; octet <= 6; octet += 1) {
      bench.zone[`${octet}.113.0.203.dnsbl.example.org`] = octet % 2 === 0 ? ['127.255.255.254'] : ['198.51.100.80'];
      bench.desk.see(`203.0.113.${octet}`);
    }
    await vi.waitFor(async () => {
      await later(MINUTE);
      expect(bench.alarms.get('feed shelter')).toMatch(/which is no listing/);
    });
    expect(listed('203.0.113.1')).toBeUndefined();
  });

  test('names of addresses', () => {
    expect(dnsblName('203.0.113.7', { zone: 'z.org', reversed: true })).toBe('7.113.0.203.z.org');
    expect(dnsblName('203.0.113.7', { zone: 'z.org', reversed: false })).toBe('203.0.113.7.z.org');
    expect(dnsblName('2001:db8::1', { zone: 'z.org', reversed: true })).toBe(
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.z.org',
    );
  });
});

describe('SentryPeer', () => {
  const NODE = { name: 'sentrypeer', type: 'sentrypeer', min_count: 2 };
  const answer = (path: string): string =>
    path === '/ip-addresses'
      ? JSON.stringify({
          ip_addresses_total: 3,
          ip_addresses: [
            { ip_address: '203.0.113.7', seen_last: '2026-11-19 12:00:00.1', seen_count: '40' },
            { ip_address: '203.0.113.8', seen_last: '2026-11-19 12:00:00.1', seen_count: '1' },
            { ip_address: '203.0.113.9', seen_last: '2026-01-01 12:00:00.1', seen_count: '40' },
          ],
        })
      : JSON.stringify({
          called_numbers: [
            { called_number: '+442037691234', seen_last: 'x', seen_count: '9' },
            { called_number: '100', seen_last: 'x', seen_count: '1' },
            { called_number: '<script>', seen_last: 'x', seen_count: '9' },
          ],
        });

  test('addresses that were seen often and lately, and the numbers they call', async () => {
    bench.server.answer = ({ path }) => ({ body: answer(path) });
    bench.use(NODE);
    await bench.desk.look();
    expect([listed('203.0.113.7'), listed('203.0.113.8'), listed('203.0.113.9')]).toEqual([
      'banned',
      undefined,
      undefined,
    ]);
    expect(['00442037691234', '442037691234', '+442037691234'].map((one) => bench.desk.hasNumber(one))).toEqual([
      true,
      true,
      true,
    ]);
    expect([bench.desk.hasNumber('100'), bench.desk.hasNumber('<script>')]).toEqual([false, false]);
    bench.clock.at += 7 * DAY;
    expect(listed('203.0.113.7')).toBeUndefined();
  });

  test.each([
    ['nothing yet', { status: 404, body: '{"message":"No data"}' }, ''],
    ['an error', { status: 500 }, 'answered 500'],
    ['a wrong key', { status: 401, body: '{"message":"Unauthorized"}' }, 'does not accept the key'],
    ['a path that it does not have', { status: 404, body: '<html>not found</html>' }, 'answered 404'],
    ['a path of another service', { status: 404, body: '{"error":"no route"}' }, 'answered 404'],
    ['null', { body: 'null' }, 'without ip_addresses'],
    ['numbers alone', { body: '{"called_numbers":[]}' }, 'without ip_addresses'],
    ['half of it', { body: '{"ip_addresses":[', breaks: true }, 'bro'],
    ['another shape', { body: '{"numbers":[]}' }, 'without ip_addresses'],
    ['no JSON', { body: 'x' }, 'no JSON'],
  ])('%s', async (_, wrong, message) => {
    bench.server.answer = () => wrong;
    bench.use(NODE);
    await bench.desk.look();
    expect(bench.desk.rows()[0]?.lastError).toContain(message);
    expect(bench.alarms.size).toBe(message === '' ? 0 : 1);
  });
});
