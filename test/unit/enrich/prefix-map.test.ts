import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { PrefixMap } from '../../../src/enrich/index.ts';
import { createPrivateRange } from '../../../src/enrich/private-range.ts';
import { canonicalIp, parseCidr } from '../../../src/model/index.ts';

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

test.each([
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '127.0.0.1',
  '169.254.1.1',
  '100.64.0.1',
  '100.127.255.255',
  '::1',
  'fe80::1',
  'febf::1',
  'fd00::1',
  'fc00::1',
  // 10.0.0.1, 192.168.1.1, 127.0.0.1 behind NAT64 and as 6to4
  '64:ff9b::a00:1',
  '64:ff9b::c0a8:101',
  '64:ff9b::7f00:1',
  '2002:a00:1::1',
  '2002:c0a8:101:7::1',
  '2002:7f00:1::',
])('%s is in a private range', (ip) => {
  expect(createPrivateRange()(ip)).toBe(true);
});

test.each([
  '8.8.8.8',
  '11.0.0.0',
  '127.255.0.1',
  '172.32.0.1',
  '172.15.255.255',
  '100.63.255.255',
  '100.128.0.0',
  '203.0.113.7',
  'fec0::1',
  '2a00::1',
  '2001:db8::1',
  '64:ff9b::cb00:7107',
  '2002:cb00:7107::1',
])('%s is not', (ip) => {
  expect(createPrivateRange()(ip)).toBe(false);
});
