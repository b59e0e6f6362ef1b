import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeText, MAX_SHOWN_CHARS } from '../../../src/model/index.ts';

/** Everything that could move a cursor, hide or reorder text, or end a quoted string. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"]/u;

/** The longest escape of one UTF-16 unit, `\uNNNN`. */
const LONGEST_ESCAPE = 6;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 400 }).map((units) => String.fromCharCode(...units)),
);

describe('escapeText', () => {
  test.each([
    ['friendly-scanner', 'friendly-scanner'],
    ['Grüße, 東京 ☎ 😀', 'Grüße, 東京 ☎ 😀'],
    ['a\r\nb', 'a\\x0d\\x0ab'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['\u007f\u0085', '\\x7f\\x85'],
    ['say "hi"', 'say \\x22hi\\x22'],
    ['\\x41', '\\x5cx41'],
    ['a\u202eb\u2066c\u061cd', 'a\\u202eb\\u2066c\\u061cd'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['lone \ud800 half', 'lone \\ud800 half'],
    ['\udc00', '\\udc00'],
    ['', ''],
  ])('%j', (input, output) => {
    expect(escapeText(input)).toBe(output);
  });

  test('cuts and says so', () => {
    expect(escapeText('x'.repeat(MAX_SHOWN_CHARS))).toBe('x'.repeat(MAX_SHOWN_CHARS));
    expect(escapeText('x'.repeat(MAX_SHOWN_CHARS + 1))).toBe(`${'x'.repeat(MAX_SHOWN_CHARS)}…`);
    expect(escapeText('abcdef', 3)).toBe('abc…');
    expect(escapeText('ab😀', 3)).toBe('ab\\ud83d…');
  });

  test('holds nothing harmful, whatever comes in', () => {
    fc.assert(
      fc.property(text, (input) => {
        expect(escapeText(input)).not.toMatch(HARMFUL);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is bounded', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 300 }), (input, maxChars) => {
        expect(escapeText(input, maxChars).length).toBeLessThanOrEqual(maxChars * LONGEST_ESCAPE + 1);
      }),
    );
  });

  test('two different texts never look the same, if none was cut', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(escapeText(a, 1_000) === escapeText(b, 1_000)).toBe(a === b);
      }),
    );
  });
});
