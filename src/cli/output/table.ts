import { displayWidth, fit, paint, shown } from './text.ts';
import type { Style } from './text.ts';

export interface Column<R> {
  readonly title: string;
  /** Raw: the table escapes it. */
  readonly cell: (row: R) => string;
  readonly style?: (row: R) => Style | undefined;
  /** Gives up its space when the terminal is too narrow. */
  readonly shrinks?: boolean;
  /** Left out when shrinking is not enough, lowest number first, and named below the table then. */
  readonly spare?: number;
}

const GAP = '  ';
const MIN_SHRUNK = 10;

const lineWidth = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one, 0) + GAP.length * Math.max(0, widths.length - 1);

/** Widths such that a line fits if it can, taking from the widest column that shrinks. */
const fitWidths = (natural: readonly number[], shrinks: readonly boolean[], width: number): number[] => {
  const widths = [...natural];
  let over = lineWidth(widths) - width;
  while (over > 0) {
    let widest = -1;
    for (const [index, one] of widths.entries()) {
      if (shrinks[index] === true && one > MIN_SHRUNK && (widest === -1 || one > (widths[widest] ?? 0))) widest = index;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over -= 1;
  }
  return widths;
};

interface Laid<R> {
  readonly column: Column<R>;
  /** Escaped, one a row. */
  readonly cells: readonly string[];
}

const naturalWidth = <R>({ column, cells }: Laid<R>): number =>
  cells.reduce((widest, cell) => Math.max(widest, displayWidth(cell)), column.title.length);

const widthsOf = <R>(laid: readonly Laid<R>[], width: number): number[] =>
  fitWidths(
    laid.map(naturalWidth),
    laid.map(({ column }) => column.shrinks === true),
    width,
  );

/** Without the column that can be spared first; undefined when there is none left. */
const sparing = <R>(laid: readonly Laid<R>[]): readonly Laid<R>[] | undefined => {
  const first = laid
    .filter(({ column }) => column.spare !== undefined)
    .toSorted((a, b) => (a.column.spare ?? 0) - (b.column.spare ?? 0))[0];
  return first === undefined ? undefined : laid.filter((each) => each !== first);
};

const styled = (style: Style | undefined, safe: string): string => (style === undefined ? safe : paint(style, safe));

/** One line a cell, for terminals that are too narrow for any table. */
const records = <R>(rows: readonly R[], laid: readonly Laid<R>[], width: number): string[] => {
  const titles = laid.reduce((widest, { column }) => Math.max(widest, column.title.length), 0);
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : ['']),
    ...laid.map(({ column, cells }) => {
      const value = fit(cells[index] ?? '', Math.max(1, width - titles - GAP.length));
      return `${paint('bold', column.title.padEnd(titles))}${GAP}${styled(column.style?.(row), value)}`.trimEnd();
    }),
  ]);
};

/**
 * Lines of an aligned table, heading first, none longer than the width: cells are escaped, cut with … where their column
 * shrinks, then columns are left out that can be spared, and at last each row becomes a record.
 */
export const table = <R>(rows: readonly R[], columns: readonly Column<R>[], width: number): string[] => {
  const all = columns.map((column) => ({ column, cells: rows.map((row) => shown(column.cell(row))) }));
  let laid: readonly Laid<R>[] = all;
  let widths = widthsOf(laid, width);
  while (lineWidth(widths) > width) {
    const fewer = sparing(laid);
    if (fewer === undefined) return records(rows, all, width);
    laid = fewer;
    widths = widthsOf(laid, width);
  }
  const line = (texts: readonly string[], styleOf: (index: number) => Style | undefined): string =>
    texts
      .map((text, index) => {
        const cut = fit(text, widths[index] ?? 0);
        const padding =
          index === texts.length - 1 ? '' : ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cut)));
        return styled(styleOf(index), cut) + padding;
      })
      .join(GAP)
      .trimEnd();
  const heading = line(
    laid.map(({ column }) => column.title),
    () => 'bold',
  );
  const leftOut = all.filter((each) => !laid.includes(each)).map(({ column }) => column.title);
  return [
    heading,
    ...rows.map((row, index) =>
      line(
        laid.map(({ cells }) => cells[index] ?? ''),
        (column) => laid[column]?.column.style?.(row),
      ),
    ),
    ...(leftOut.length === 0
      ? []
      : [paint('dim', fit(`Not shown here: ${leftOut.join(', ')} (--json has it)`, width))]),
  ];
};
