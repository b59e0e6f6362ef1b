/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  /** The peer of the same run, or what the figure was taken of. */
  readonly beside: string;
  /** Left out: nothing was promised. */
  readonly aim?: string;
  readonly met?: boolean;
  /** Bare numbers, for `--json`. */
  readonly figures: Readonly<Record<string, number>>;
}

const COLUMNS = ['what', 'measured', 'beside', 'aim', 'met'] as const;

const cellsOf = (row: Row): string[] => [
  row.what,
  row.measured,
  row.beside,
  row.aim ?? '',
  row.met === undefined ? '' : row.met ? 'yes' : 'NO',
];

/** The rows as a Markdown table, so that it can be pasted into the README. */
export const tableOf = (rows: readonly Row[]): string => {
  const cells = [[...COLUMNS], ...rows.map(cellsOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lineOf = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [lineOf(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(lineOf)].join('\n');
};

export const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;

/** `213 k`, `1.25 M`, `870`. */
export const short = (value: number): string =>
  value >= 1e6 ? `${round(value / 1e6)} M` : value >= 1e4 ? `${round(value / 1e3, 0)} k` : `${round(value, 0)}`;
