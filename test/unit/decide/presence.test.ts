import { expect, test } from 'vitest';
import { Presence } from '../../../src/decide/presence.ts';

const subject = (n: number): string => `${n >> 16}.${(n >> 8) & 255}.${n & 255}.7`;

test('what was added is never called absent, what was taken out mostly is', () => {
  const presence = new Presence();
  for (let n = 0; n < 50_000; n += 1) presence.add(subject(n));
  for (let n = 0; n < 50_000; n += 1) expect(presence.mayHold(subject(n))).toBe(true);
  for (let n = 0; n < 50_000; n += 2) presence.delete(subject(n));
  let mistaken = 0;
  for (let n = 0; n < 50_000; n += 1) {
    if (n % 2 === 1) expect(presence.mayHold(subject(n))).toBe(true);
    else if (presence.mayHold(subject(n))) mistaken += 1;
  }
  expect(mistaken).toBeLessThan(2_500);
});

test('it never forgets one of many that share a counter', () => {
  const presence = new Presence();
  for (let n = 0; n < 1_000; n += 1) presence.add('192.0.2.1');
  for (let n = 0; n < 999; n += 1) presence.delete('192.0.2.1');
  expect(presence.mayHold('192.0.2.1')).toBe(true);
});
