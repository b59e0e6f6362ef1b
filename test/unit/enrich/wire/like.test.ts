import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileLike, likeProblem } from '../../../../src/enrich/wire/like.ts';

test.each([
  ['z9hG4bK-[0-9]{1,10}', 'z9hG4bK-2930941279', true],
  ['z9hG4bK-[0-9]{1,10}', 'z9hG4bK-29309412790', false],
  ['z9hG4bK-[0-9]{1,10}', 'z9hG4bK-', false],
  ['[0-9a-f]{8}', '5834bcd7', true],
  ['[0-9a-f]{8}', '5834BCD7', false],
  ['[^0-9]{2}', 'ab', true],
  ['[^0-9]{2}', 'a1', false],
  ['[]a]{2}', ']a', true],
  ['[a-]{2}', 'a-', true],
  ['[a\\]]{2}', ']a', true],
  ['a\\*b', 'a*b', true],
  ['a\\{2}', 'a{2}', true],
  ['abc*', 'abc', true],
  ['abc*', 'abcdef', true],
  ['abc*', 'ab', false],
  ['a{2}b', 'aab', true],
  ['a{2}b', 'aaab', false],
  ['[a-z]{0,3}1', '1', true],
  // a part never gives back: written so, it cannot match
  ['[a-z]{0,9}z', 'abcz', false],
  ['é', 'é', null],
])('%s on %s: %s', (pattern, value, matches) => {
  if (matches === null) expect(likeProblem(pattern)).toMatch(/printable ASCII/);
  else expect(compileLike(pattern)(value)).toBe(matches);
});

test.each([
  ['', /1 to 128/],
  ['a'.repeat(129), /1 to 128/],
  ['a*b', /last character/],
  ['[abc', /without its/],
  ['[z-a]', /runs backwards/],
  ['a{x}', /no count/],
  ['a{2,1}', /runs backwards/],
  ['a{2000}', /beyond 1024/],
  ['ab\\', /ends in/],
  ['ab'.repeat(17), /more than 32 parts/],
])('%s is refused', (pattern, problem) => {
  expect(likeProblem(pattern)).toMatch(problem);
  expect(() => compileLike(pattern)).toThrow(problem);
});

test('letters beyond ASCII never match, and never throw', () => {
  expect(compileLike('[^0-9]{1,9}')('日本')).toBe(false);
  expect(compileLike('*')('日本')).toBe(true);
});

test('agrees with the regular expression of the same shape', () => {
  const match = compileLike('x[0-9]{1,4}-[a-f]{2,3}y');
  const same = /^x[0-9]{1,4}-[a-f]{2,3}y$/;
  fc.assert(fc.property(fc.stringMatching(/^x[0-9]{0,6}-?[a-g]{0,4}y?$/), (text) => match(text) === same.test(text)));
});

test('any text gives an answer', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, value) => {
      if (likeProblem(pattern) === undefined) expect(typeof compileLike(pattern)(value)).toBe('boolean');
    }),
  );
});
