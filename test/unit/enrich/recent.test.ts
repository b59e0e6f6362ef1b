import { expect, test } from 'vitest';
import { createRecent } from '../../../src/enrich/recent.ts';

test('what was worked out for a text comes back, however many texts meet in one place', () => {
  const worked: string[] = [];
  const lengthOf = createRecent((text) => {
    worked.push(text);
    return text.length;
  });
  worked.length = 0;
  const texts = ['', ...Array.from({ length: 1_000 }, (_, n) => `agent ${n}`)];
  for (let turn = 0; turn < 2; turn += 1) for (const text of texts) expect(lengthOf(text)).toBe(text.length);
  expect(worked.length).toBeGreaterThan(1_000);
});

test('the same text one after the other is worked out once', () => {
  const worked: string[] = [];
  const upper = createRecent((text) => {
    worked.push(text);
    return text.toUpperCase();
  });
  worked.length = 0;
  for (let turn = 0; turn < 3; turn += 1) expect(upper('Yealink SIP-T46U')).toBe('YEALINK SIP-T46U');
  expect(worked).toEqual(['Yealink SIP-T46U']);
});
