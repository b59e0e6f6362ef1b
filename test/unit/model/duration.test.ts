import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/model/index.ts';

const HOUR = 3_600_000;

describe('parseDuration', () => {
  test.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['15m', 15 * 60_000],
    ['4h', 4 * HOUR],
    ['7d', 7 * 24 * HOUR],
    ['2w', 14 * 24 * HOUR],
    ['1h30m', 1.5 * HOUR],
    ['1h0m5s', HOUR + 5_000],
    ['3650d', 3_650 * 24 * HOUR],
    ['permanent', null],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    '0s',
    '0h0m',
    '5',
    's',
    '-5m',
    '1.5h',
    '1 h',
    '1H',
    '1y',
    '5m ',
    'forever',
    '3651d',
    '1h30',
    '9'.repeat(400),
    '5m\n',
    '999999999w',
  ])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }));
  });
});

describe('formatDuration', () => {
  test.each([
    [null, 'permanent'],
    [0, '0s'],
    [-5, '0s'],
    [999, '0s'],
    [1_999, '1s'],
    [90_000, '1m30s'],
    [4 * HOUR, '4h'],
    [1.5 * HOUR, '1h30m'],
    [24 * HOUR + 60_000, '1d1m'],
    [25 * HOUR + 61_000, '1d1h'],
    [60 * 24 * HOUR, '60d'],
  ])('%s is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('can be read again, as at most the same and by no more than its smallest unit less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 3_650 * 24 * HOUR }), (ms) => {
        const again = parseDuration(formatDuration(ms)) ?? Number.NaN;
        expect(again).toBeLessThanOrEqual(ms);
        expect(ms - again).toBeLessThan(HOUR);
        expect(formatDuration(again)).toBe(formatDuration(ms));
      }),
    );
  });
});
