import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalIp, CompanionError, formatCidr, identityOf, parseCidr, subjectOf } from '../../../src/model/index.ts';

const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return error instanceof CompanionError ? error.code : 'another error';
  }
  return 'no error';
};

describe('canonicalIp', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    // RFC 5952, 4.2.2 and 4.2.3: one zero field is not shortened, the first of two longest runs is.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test.each([
    '',
    ' ',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.04',
    '0x7f.0.0.1',
    '2130706433',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '1.2.3.4:5060',
    '[2001:db8::1]',
    'fe80::1%eth0',
    '2001:db8::1::2',
    '2001:db8',
    ':::',
    '12345::',
    '::1\n',
    '1:2:3:4:5:6:7:8:9',
    '::ffff:010.0.0.1',
    '::ffff:1.2.3.256',
    '::ffff:0x7f.0.0.1',
    '::ffff:1.2.3',
    `${'0'.repeat(50)}::1`,
  ])('refuses %j', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });

  test('agrees with Node.js on what an IPv6 address is', () => {
    const piece = fc.constantFrom(
      '0',
      '1',
      'ffff',
      '00a0',
      'g',
      '',
      '127.0.0.1',
      '::',
      ':',
      '12345',
      '256.1.1.1',
      '010.0.0.1',
      '0x7f.1',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.constantFrom(':', ''), (pieces, glue) => {
        const text = pieces.join(glue);
        if (text.includes(':')) expect(canonicalIp(text) !== undefined).toBe(isIPv6(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a canonical address is its own canonical form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const once = canonicalIp(text);
        expect(once).toBeDefined();
        expect(canonicalIp(once ?? '')).toBe(once);
      }),
    );
  });

  test('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void canonicalIp(text)));
  });
});

describe('parseCidr', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7/32', 4],
    ['10.1.2.3/8', '10.0.0.0/8', 4],
    ['203.0.113.255/25', '203.0.113.128/25', 4],
    ['1.2.3.4/0', '0.0.0.0/0', 4],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6/128', 6],
    ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2::/64', 6],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33', 6],
    ['::1/0', '::/0', 6],
    ['::ffff:203.0.113.7/24', '203.0.113.0/24', 4],
  ])('%s is %s', (text, expected, family) => {
    const cidr = parseCidr(text);
    expect(formatCidr(cidr)).toBe(expected);
    expect(cidr.family).toBe(family);
    expect(cidr.bytes).toHaveLength(family === 4 ? 4 : 16);
  });

  test.each([
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '10.0.0.0/a',
    '::/129',
    'x',
    '10.0.0.0/1e1',
    '::ffff:10.0.0.0/96',
  ])('refuses %j', (text) => {
    expect(codeOf(() => parseCidr(text))).toBe('ADDRESS_INVALID');
  });

  test('the message quotes at most 60 characters', () => {
    expect(() => parseCidr('x'.repeat(5_000))).toThrow(/^.{0,200}$/);
  });

  test('throws nothing but ADDRESS_INVALID', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['ADDRESS_INVALID', 'no error']).toContain(codeOf(() => parseCidr(text)));
      }),
    );
  });

  test('formatting and reading again changes nothing, and host bits are zero', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
    const v6 = fc.tuple(
      fc.ipV6().filter((ip) => canonicalIp(ip)?.includes(':') ?? false),
      fc.integer({ min: 0, max: 128 }),
    );
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([ip, prefix]) => {
        const cidr = parseCidr(`${ip}/${prefix}`);
        const bits = cidr.bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
        expect(bits.slice(prefix)).not.toContain('1');
        // ::/0 … of an IPv4-mapped network would be read as IPv4.
        if (canonicalIp(cidr.network)?.includes(':') === (cidr.family === 6)) {
          expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
        }
      }),
    );
  });
});

describe('identityOf', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['::1', '::/64'],
  ])('%s hangs on %s', (ip, identity) => {
    expect(identityOf(ip)).toBe(identity);
  });

  test('neighbours in one /64 are one identity', () => {
    expect(identityOf('2001:db8:1:2::1')).toBe(identityOf('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(identityOf('2001:db8:1:2::1')).not.toBe(identityOf('2001:db8:1:3::1'));
  });
});

describe('subjectOf', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:DB8:1:2::5', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::5/128', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::5/100', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::5/64', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::5/48', '2001:db8:1::/48'],
  ])('%s is banned as %s', (text, subject) => {
    expect(subjectOf(text)).toBe(subject);
  });

  test('of a single address is its identity', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        expect(subjectOf(text)).toBe(identityOf(canonicalIp(text) ?? ''));
      }),
    );
  });

  test('refuses what is no address', () => {
    expect(codeOf(() => subjectOf('example.org'))).toBe('ADDRESS_INVALID');
  });
});

test('any dotted network is read to the bit', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.integer({ min: 0, max: 32 }), (address, prefix) => {
      const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
      const size = 2 ** (32 - prefix);
      const network = dotted(Math.floor(address / size) * size);
      const cidr = parseCidr(`${dotted(address)}/${prefix}`);
      expect(cidr).toEqual({ family: 4, network, prefix, bytes: network.split('.').map(Number) });
      expect(parseCidr(`::ffff:${dotted(address)}/${prefix}`)).toEqual(cidr);
    }),
  );
  for (const wrong of ['1.2.3.4/33', '1.2.3.4/', '1.2.3.4/-1', '1.2.3.4/2x', '1.2.3.4/24/8', '1.2.3.4/0024', '/24'])
    expect(codeOf(() => parseCidr(wrong))).toBe('ADDRESS_INVALID');
});
