import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCidr, parseCidr } from '../../src/model/index.ts';
import { NetworkTable, PrefixMap } from '../../src/enrich/index.ts';
import { createProtection } from '../../src/feeds/sift/index.ts';
import { readV4Word } from '../../src/feeds/sift/read-v4.ts';
import { sift } from '../../src/feeds/sift/sift.ts';

const octet = fc.integer({ min: 0, max: 300 });
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));
const v4Line = fc
  .tuple(v4, fc.option(fc.integer({ min: 0, max: 40 })))
  .map(([ip, prefix]) => (prefix === null ? ip : `${ip}/${prefix}`));
const scraps = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '/', ' ', 'a', ':', '-'), maxLength: 20 });

/** Public networks, both families. */
const network = fc.oneof(
  fc
    .tuple(fc.integer({ min: 20, max: 90 }), fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 14, max: 32 }))
    .map(([a, b, c, d, prefix]) => formatCidr(parseCidr(`${a}.${b}.${c}.${d}/${prefix}`))),
  fc
    .tuple(fc.nat(15), fc.nat(15), fc.integer({ min: 30, max: 64 }))
    .map(([a, b, prefix]) => formatCidr(parseCidr(`2a0${a.toString(16)}:${b.toString(16)}::/${prefix}`))),
);

describe('a line of a list', () => {
  test('that is IPv4 is read as everywhere else, or left to be read at leisure', () => {
    fc.assert(
      fc.property(fc.oneof(v4Line, scraps), (text) => {
        const word = { start: 0, prefix: 0, end: 0 };
        if (!readV4Word(text, 0, text.length, word) || word.end !== text.length) return;
        const { network: ip, prefix } = parseCidr(text);
        const bytes = [24, 16, 8, 0].map((shift) => Math.floor(word.start / 2 ** shift) % 256);
        expect([bytes.join('.'), word.prefix]).toEqual([ip, prefix]);
      }),
    );
  });

  test('of IPv4 is never left out by accident', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('', ' # x', ',1', ';x', '\r', '|a'), (ip, behind) => {
        const word = { start: 0, prefix: 0, end: 0 };
        expect(readV4Word(ip + behind, 0, ip.length + behind.length, word)).toBe(true);
        expect(word.end).toBe(ip.length);
      }),
    );
  });
});

describe('what is protected', () => {
  test('is hit by exactly those networks that have an address in common with it', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 12 }), network, (subjects, text) => {
        const protection = createProtection(subjects.map((subject) => ({ subject, what: 'ours' })));
        const cidr = parseCidr(text);
        const around = (outer: string, inner: string): boolean => {
          const map = new PrefixMap<true>();
          map.set(parseCidr(outer), true);
          const { network: ip, prefix, family } = parseCidr(inner);
          return map.match(ip) === true && parseCidr(outer).family === family && parseCidr(outer).prefix <= prefix;
        };
        const hits = subjects.some((subject) => around(subject, text) || around(text, subject));
        const refused = protection.refuse(cidr);
        expect(refused?.why === 'protected').toBe(hits && refused?.why !== 'too-wide');
      }),
    );
  });

  test('is on no table, whatever the list says', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 30 }), fc.array(network, { maxLength: 5 }), (lines, ours) => {
        const { table, taken } = sift(
          'x',
          Buffer.from(lines.join('\n')),
          ours.map((subject) => ({ subject, what: 'ours' })),
        );
        const built = new NetworkTable(table);
        expect(taken).toBeLessThanOrEqual(lines.length);
        for (const subject of ours) expect(built.has(parseCidr(subject).network)).toBe(false);
      }),
    );
  });
});
