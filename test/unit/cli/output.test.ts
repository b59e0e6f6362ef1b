import { describe, expect, test } from 'vitest';
import { nodeProblem } from '../../../src/cli/index.ts';
import { table } from '../../../src/cli/output/table.ts';
import { displayWidth, fit } from '../../../src/cli/output/text.ts';

test.each([
  ['18.19.0', false],
  ['20.20.2', false],
  ['22.18.9', false],
  ['22.19.0', true],
  ['23.11.0', false],
  ['24.10.0', false],
  ['24.11.0', true],
  ['25.9.0', false],
  ['26.0.0', true],
  ['30.1.0', true],
])('Node.js %s: %s', (version, fine) => {
  const problem = nodeProblem(version);
  expect(problem === undefined).toBe(fine);
  if (problem !== undefined)
    expect(problem).toMatch(
      /^Companion needs Node\.js 22\.19, 24\.11 or 26 and later, but this is .*Install Node\.js 24/,
    );
});

describe('table', () => {
  const columns = [
    { title: 'A', cell: (row: readonly string[]) => row[0] ?? '' },
    { title: 'B', cell: (row: readonly string[]) => row[1] ?? '', shrinks: true },
  ];

  test('aligns, and cuts only what may shrink', () => {
    expect(
      table(
        [
          ['1', 'short'],
          ['12345', 'x'.repeat(50)],
        ],
        columns,
        30,
      ),
    ).toEqual(['A      B', '1      short', `12345  ${'x'.repeat(22)}…`]);
    expect(table([['12345', 'x'.repeat(50)]], columns, Number.POSITIVE_INFINITY)[1]).toBe(`12345  ${'x'.repeat(50)}`);
  });

  test('escapes cells before it measures them', () => {
    expect(table([['\u001b[31m', 'b']], columns, 80)).toEqual(['A         B', '\\x1b[31m  b']);
  });

  test('knows wide and combining characters', () => {
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(fit('日本語', 5)).toBe('日本…');
    expect(
      table(
        [
          ['日本', 'b'],
          ['abcd', 'b'],
        ],
        columns,
        80,
      ).slice(1),
    ).toEqual(['日本  b', 'abcd  b']);
  });
});
