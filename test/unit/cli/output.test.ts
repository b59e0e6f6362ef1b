import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeProblem } from '../../../src/cli/index.ts';
import { table } from '../../../src/cli/output/table.ts';
import { coloured, displayWidth, fit } from '../../../src/cli/output/text.ts';

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

describe('colours', () => {
  const isTerminal = process.stdout.isTTY;
  afterEach(() => {
    vi.unstubAllEnvs();
    process.stdout.isTTY = isTerminal;
  });

  test.each([
    [true, 'xterm', '', true],
    [true, 'xterm', '1', false],
    [true, 'dumb', '', false],
    [false, 'xterm', '', false],
  ])('terminal %s, TERM=%s, NO_COLOR=%s: %s', (terminal, term, refused, expected) => {
    process.stdout.isTTY = terminal;
    vi.stubEnv('TERM', term);
    vi.stubEnv('NO_COLOR', refused);
    expect(coloured()).toBe(expected);
  });
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

  describe('in a terminal that is too narrow for what may shrink', () => {
    const ban = [
      { title: 'ADDRESS', cell: () => '2001:db8:1:2::/64' },
      { title: 'SINCE', cell: () => '2026-11-20 08:52:59Z', spare: 2 },
      { title: 'LEVEL', cell: () => '1', spare: 1 },
      { title: 'REASON', cell: () => 'enumeration.distinct', shrinks: true },
    ];

    test('leaves out what can be spared, in its order, and says so', () => {
      expect(table([1], ban, 57)).toEqual([
        'ADDRESS            SINCE                 REASON',
        '2001:db8:1:2::/64  2026-11-20 08:52:59Z  enumeration.dis…',
        'Not shown here: LEVEL (--json has it)',
      ]);
      expect(table([1], ban, 40)[2]).toBe('Not shown here: SINCE, LEVEL (--json ha…');
    });

    test('makes a record of each row when nothing is left to spare', () => {
      expect(table([1, 2], ban, 28)).toEqual([
        'ADDRESS  2001:db8:1:2::/64',
        'SINCE    2026-11-20 08:52:5…',
        'LEVEL    1',
        'REASON   enumeration.distin…',
        '',
        'ADDRESS  2001:db8:1:2::/64',
        'SINCE    2026-11-20 08:52:5…',
        'LEVEL    1',
        'REASON   enumeration.distin…',
      ]);
    });

    test.each([20, 28, 36, 40, 47, 58, 64, 71, 90])('has no line longer than %s columns', (width) => {
      for (const line of table([1, 2], ban, width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    });
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
