import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { PrefixMap } from '../../../src/enrich/index.ts';
import { createPrivateRange } from '../../../src/enrich/private-range.ts';
import { canonicalIp, isPrivate, parseCidr } from '../../../src/model/index.ts';

const mapOf = (...cidrs: string[]): PrefixMap<string> => {
  const map = new PrefixMap<string>();
  for (const cidr of cidrs) map.set(parseCidr(cidr), cidr);
  return map;
};

test('the longest prefix wins, all that cover are listed longest first', () => {
  const map = mapOf('0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.3/32');
  expect(map.match('10.1.2.3')).toBe('10.1.2.3/32');
  expect(map.match('10.1.9.9')).toBe('10.1.0.0/16');
  expect(map.covering('10.1.2.3')).toEqual(['10.1.2.3/32', '10.1.0.0/16', '10.0.0.0/8', '0.0.0.0/0']);
  expect(map.covering('2001:db8::1')).toEqual([]);
});

test('IPv6 networks', () => {
  const map = mapOf('::/0', '2001:db8::/32', '2001:db8:1:2::/64', '2001:db8:1:2::7/128');
  expect(map.match('2001:db8:1:2::7')).toBe('2001:db8:1:2::7/128');
  expect(map.covering('2001:db8:1:2:3:4:5:6')).toEqual(['2001:db8:1:2::/64', '2001:db8::/32', '::/0']);
  expect(map.match('::')).toBe('::/0');
  expect(map.match('10.0.0.1')).toBeUndefined();
});

test('a deleted network no longer matches, and the size follows', () => {
  const map = mapOf('10.0.0.0/8', '10.1.0.0/16');
  map.set(parseCidr('10.1.0.0/16'), 'again');
  expect([map.size, map.get(parseCidr('10.1.0.0/16'))]).toEqual([2, 'again']);
  expect([map.delete(parseCidr('10.1.0.0/16')), map.delete(parseCidr('10.1.0.0/16'))]).toEqual([true, false]);
  expect([map.size, map.match('10.1.2.3')]).toEqual([1, '10.0.0.0/8']);
});

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '1..2.3',
  'x',
  ':::',
  '1:2',
  '1:2:3:4:5:6:7:8:9',
  'g::1',
  '::1%eth0',
])('%j matches nothing and does not throw', (text) => {
  expect(mapOf('0.0.0.0/0', '::/0').match(text)).toBeUndefined();
});

const v4 = fc
  .ipV4()
  .map((ip) => canonicalIp(ip))
  .filter((ip) => ip !== undefined);
const v6 = fc
  .ipV6()
  .map((ip) => canonicalIp(ip))
  .filter((ip) => ip !== undefined && ip.includes(':')) as fc.Arbitrary<string>;

test('agrees with ipaddr.js on every address and network', () => {
  const pair = fc.oneof(
    fc.tuple(v4, v4, fc.integer({ min: 0, max: 32 })),
    fc.tuple(v6, v6, fc.integer({ min: 0, max: 128 })),
  );
  fc.assert(
    fc.property(pair, fc.boolean(), ([ip, other, prefix], near) => {
      const cidr = parseCidr(`${near ? ip : other}/${prefix}`);
      const map = new PrefixMap<string>();
      map.set(cidr, 'x');
      const inside = ipaddr.parse(ip).match(ipaddr.parse(cidr.network), cidr.prefix);
      expect(map.match(ip) === 'x').toBe(inside);
    }),
    { numRuns: 2_000 },
  );
});

test('says of every address what model says about private ranges, but for the loopback range', () => {
  const isPrivateRange = createPrivateRange();
  const edges = [
    '10.0.0.0',
    '11.0.0.0',
    '172.16.0.1',
    '172.32.0.0',
    '100.64.0.1',
    '100.128.0.0',
    '127.0.0.1',
    '127.9.9.9',
    '169.254.1.1',
    '::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'fd00::1',
    '2001:db8::1',
  ];
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(...edges), v4, v6),
      (ip) => isPrivateRange(ip) === (isPrivate(ip) && (!ip.startsWith('127.') || ip === '127.0.0.1')),
    ),
    { numRuns: 5_000 },
  );
});
