import { expect, test } from 'vitest';
import { Kept } from '../../../src/enrich/geo/kept.ts';

test('addresses of both families, and what is none, never get the value of another', () => {
  const kept = new Kept<string>(16);
  const ips = [
    '0.0.0.0',
    '255.255.255.255',
    ...Array.from({ length: 200 }, (_, n) => `198.51.100.${n}`),
    ...Array.from({ length: 200 }, (_, n) => `2001:db8::${n.toString(16)}`),
    'no address',
  ];
  let known = 0;
  for (const ip of ips) {
    expect(kept.get(ip)).toBeUndefined();
    kept.set(ip, `of ${ip}`);
    expect(kept.get(ip)).toBe(`of ${ip}`);
    for (const other of ips) {
      const found = kept.get(other);
      if (found === undefined) continue;
      known += 1;
      expect(found).toBe(`of ${other}`);
    }
  }
  expect(known).toBeGreaterThan(ips.length);
  kept.clear();
  expect(ips.filter((ip) => kept.get(ip) !== undefined)).toEqual([]);
});
