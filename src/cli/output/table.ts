import { displayWidth, fit, paint, shown } from './text.ts';
import type { Style } from './text.ts';

export interface Column<R> {
  readonly title: string;
  /** Raw: the table escapes it. */
  readonly cell: (row: R) => string;
  readonly style?: (row: R) => Style | undefined;
  /** Gives up its space when the terminal is too narrow. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
const MIN_SHRUNK = 10;

/** Widths such that a line fits, taking from the widest column that shrinks. */
const fitWidths = (natural: readonly number[], shrinks: readonly boolean[], width: number): number[] => {
  const widths = [...natural];
  let over = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (widths.length - 1) - width;
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

/** Lines of an aligned table, heading first; cells are escaped, and cut with … where the width asks for it. */
export const table = <R>(rows: readonly R[], columns: readonly Column<R>[], width: number): string[] => {
  const cells = rows.map((row) => columns.map((column) => shown(column.cell(row))));
  const natural = columns.map((column, index) =>
    cells.reduce((widest, line) => Math.max(widest, displayWidth(line[index] ?? '')), column.title.length),
  );
  const widths = fitWidths(
    natural,
    columns.map(({ shrinks }) => shrinks === true),
    width,
  );
  const line = (texts: readonly string[], styleOf: (index: number) => Style | undefined): string =>
    texts
      .map((text, index) => {
        const cut = fit(text, widths[index] ?? 0);
        const style = styleOf(index);
        const padding =
          index === texts.length - 1 ? '' : ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cut)));
        return (style === undefined ? cut : paint(style, cut)) + padding;
      })
      .join(GAP)
      .trimEnd();
  const heading = line(
    columns.map(({ title }) => title),
    () => 'bold',
  );
  return [heading, ...rows.map((row, index) => line(cells[index] ?? [], (column) => columns[column]?.style?.(row)))];
};
