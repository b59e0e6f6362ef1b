import { expect, test } from 'vitest';
import { canonicalUser } from '../../../src/detect/base/canonical-user.ts';
import { ask, detectorsWith, from, nothingKnown, SCANNER } from './events.ts';

test.each([
  ['100', '100'],
  ['%31%30%30', '100'],
  ['1%300', '100'],
  ['+4930123;phone-context=x', '+4930123'],
  ['100%', '100%'],
  ['%zz', '%zz'],
  ['%', '%'],
  [';x', ';x'],
  ['', ''],
])('%j is meant as %j', (user, meant) => {
  expect(canonicalUser(user)).toBe(meant);
});

test.each(['trap', '%74rap', 'tr%61p', 'trap;a=b'])('a trap is one however it is written: %s', (user) => {
  const detectors = detectorsWith({ honey: { users: ['trap'] } });
  const found = detectors.detect(ask(0, from(SCANNER), 'INVITE', user), nothingKnown);
  expect(found.map(({ rule }) => rule)).toContain('honey.user');
});

test('names in a row are a row, encoded or not', () => {
  const detectors = detectorsWith();
  const encoded = (name: string): string => [...name].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
  const found = Array.from({ length: 30 }, (_, n) => {
    const name = String(200 + n);
    return detectors.detect(ask(n * 700, from(SCANNER), 'REGISTER', n % 2 === 0 ? name : encoded(name)), nothingKnown);
  }).flat();
  expect(found.map(({ rule }) => rule)).toContain('enumeration.sequence');
});
