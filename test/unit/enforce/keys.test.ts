import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  identityKey,
  keysOf,
  prefixKeys,
  prefixKeysOfAddress,
  ttlSeconds,
} from '../../../src/enforce/kamailio/keys.ts';
import { formatCidr, identityOf, parseCidr } from '../../../src/model/index.ts';
import type { Entry } from '../../../src/model/index.ts';

const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');
const base = { since: 0, until: null, reason: '', origin: 'detector' } as const;
const proof = { rules: ['digest.wrong-password'], evidence: [] } as const;

const v4 = fc.ipV4();
const v6 = fc
  .ipV6()
  .map((text) => parseCidr(text))
  .filter((cidr) => cidr.family === 6)
  .map((cidr) => cidr.network);

const inside = (ip: string, net: string): boolean => {
  const { prefix } = parseCidr(net);
  return formatCidr(parseCidr(`${ip}/${prefix}`)) === net;
};

/** What the script does: does any key that it looks up stand? */
const matches = (ip: string, net: string): boolean => {
  const keys = new Set(prefixKeys(parseCidr(net)));
  return prefixKeysOfAddress(ip).some((key) => keys.has(key));
};

describe('prefix keys', () => {
  test('cover exactly the addresses of an IPv4 network, with at most 256 keys', () => {
    fc.assert(
      fc.property(v4, v4, fc.integer({ min: 0, max: 32 }), (network, ip, prefix) => {
        const net = formatCidr(parseCidr(`${network}/${prefix}`));
        expect(prefixKeys(parseCidr(net))?.length).toBeLessThanOrEqual(256);
        expect(matches(ip, net)).toBe(inside(ip, net));
      }),
    );
  });

  test('cover the addresses next to the edges of an IPv4 network', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 32 }), (number, prefix) => {
        const text = (value: number): string =>
          [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
        const size = 2 ** (32 - prefix);
        const first = Math.floor(number / size) * size;
        const net = `${text(first)}/${prefix}`;
        for (const value of [first - 1, first, first + size - 1, first + size]) {
          if (value >= 0 && value < 2 ** 32)
            expect(matches(text(value), net)).toBe(value >= first && value < first + size);
        }
      }),
    );
  });

  test('cover exactly the addresses of an IPv6 network that fits', () => {
    const prefixes = fc.oneof(fc.integer({ min: 32, max: 64 }), fc.constant(128));
    fc.assert(
      fc.property(v6, v6, prefixes, fc.integer({ min: 0, max: 128 }), (network, other, prefix, shared) => {
        const net = formatCidr(parseCidr(`${network}/${prefix}`));
        // An address that shares its first bits with the network: near misses are what matters.
        const far = parseCidr(other).bytes;
        const near = parseCidr(network).bytes.map((byte, index) => {
          const keep = Math.min(8, Math.max(0, shared - index * 8));
          const mask = (0xff << (8 - keep)) & 0xff;
          return (byte & mask) | ((far[index] ?? 0) & ~mask & 0xff);
        });
        const groups = Array.from({ length: 8 }, (_, group) =>
          (((near[group * 2] ?? 0) << 8) | (near[group * 2 + 1] ?? 0)).toString(16),
        );
        const ip = parseCidr(groups.join(':'));
        if (ip.family === 4) return;
        expect(prefixKeys(parseCidr(net))?.length).toBeLessThanOrEqual(128);
        expect(matches(ip.network, net)).toBe(inside(ip.network, net));
      }),
    );
  });

  test('are written as the script looks them up', () => {
    expect(prefixKeys(parseCidr('10.0.0.0/8'))).toEqual(['10']);
    expect(prefixKeys(parseCidr('10.1.16.0/23'))).toEqual(['10.1.16', '10.1.17']);
    expect(prefixKeys(parseCidr('10.1.2.3'))).toEqual(['10.1.2.3']);
    expect(prefixKeys(parseCidr('2001:db8::/32'))).toEqual(['20010db8']);
    expect(prefixKeys(parseCidr('2001:db8:1:2::/64'))).toEqual(['20010db800010002']);
    expect(prefixKeys(parseCidr('2001:db8:fffe::/47'))).toEqual(['20010db8fffe', '20010db8ffff']);
    expect(prefixKeys(parseCidr('2001:db8::1'))).toEqual(['20010db8000000000000000000000001']);
  });

  test('do not exist for IPv6 networks that the script does not look up', () => {
    for (const net of ['2001:db8::/31', '::/0', '2001:db8::/65', '2001:db8::/127'])
      expect(prefixKeys(parseCidr(net))).toBeUndefined();
  });
});

describe('identity keys', () => {
  test('are the same for an address and its identity', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (ip) => {
        expect(identityKey(identityOf(ip))).toBe(identityKey(ip));
      }),
    );
  });

  test('are the address, or 16 hex digits', () => {
    expect(identityKey('203.0.113.9')).toBe('203.0.113.9');
    expect(identityKey('2001:db8:1:2::/64')).toBe('20010db800010002');
  });
});

describe('entries', () => {
  const keys = (entry: Entry): string[] | undefined =>
    keysOf(entry)?.map((one) => `${one.table} ${one.key}=${JSON.stringify(one.value)}`);

  test('become keys of the tables', () => {
    expect(keys({ ...base, ...proof, kind: 'ban', subject: '203.0.113.9', level: 2 })).toEqual([
      'ipban 203.0.113.9="companion:2:digest.wrong-password"',
    ]);
    expect(keys({ ...base, ...proof, kind: 'ban', subject: '2001:db8::/64', level: 0, rules: [] })).toEqual([
      'ipban 20010db800000000="companion:0:operator"',
    ]);
    expect(keys({ ...base, ...proof, kind: 'ban', subject: '10.0.0.0/16', level: 0 })).toEqual([
      'companion_net d10.0="1"',
    ]);
    expect(keys({ ...base, kind: 'allow', subject: '192.0.2.7/32', note: '', author: '' })).toEqual([
      'companion_net a192.0.2.7="1"',
    ]);
    const peer = { ...base, kind: 'allow', subject: '192.0.2.0/24', note: '', author: '', peer: 'carrier' } as const;
    expect(keys({ ...peer, checked: true })).toEqual(['companion_net a192.0.2="2"']);
    expect(keys({ ...base, ...proof, kind: 'quarantine', subject: '203.0.113.9' })).toEqual([
      'companion_state q203.0.113.9="1"',
    ]);
    expect(keys({ ...base, kind: 'throttle', subject: '203.0.113.9', perSecond: 5 })).toEqual([
      'companion_state t203.0.113.9=5',
    ]);
    expect(
      keys({ ...base, kind: 'throttle-user', subject: '2001:db8::/64', user: 'ålice', intervalSeconds: 30 }),
    ).toEqual([`companion_state u20010db800000000:${md5('ålice')}=30`]);
    expect(keys({ ...base, kind: 'good', ip: '2001:db8::1', port: 5060, user: 'bob' })).toEqual([
      'companion_good 2001:db8::1:5060="1"',
      `companion_good 2001:db8::1:5060:${md5('bob')}="1"`,
    ]);
  });

  test('of somebody else are not written', () => {
    expect(keysOf({ ...base, ...proof, kind: 'ban', subject: '203.0.113.9', level: 0, origin: 'foreign' })).toEqual([]);
  });

  test('carry own words only, in values and keys', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (rule, user, level) => {
        const [ban] =
          keysOf({ ...base, kind: 'ban', subject: '203.0.113.9', level, rules: [rule], evidence: [] }) ?? [];
        expect(ban?.value).toMatch(/^companion:\d+:[a-z0-9.:-]*$/);
        expect(String(ban?.value).length).toBeLessThanOrEqual(60);
        for (const { key } of keysOf({ ...base, kind: 'good', ip: '192.0.2.1', port: 1, user }) ?? [])
          expect(key).toMatch(/^[0-9a-f.:]+$/);
      }),
    );
  });
});

test('a time to live is at least a second and has an end', () => {
  expect(ttlSeconds(1_000, 1_000)).toBe(1);
  expect(ttlSeconds(2_001, 1_000)).toBe(2);
  expect(ttlSeconds(Infinity, 1_000)).toBe(315_360_000);
});
