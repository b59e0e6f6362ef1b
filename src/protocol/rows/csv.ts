/** A row with the line of the file on which it begins. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** A quoted cell of more lines was never closed: else one stray quote would swallow all the rows behind it. */
const MAX_CELL_LINES = 10;

const SEPARATORS = [',', ';', '\t'] as const;

/** The separator that the first line with content uses most; a comma where none is there. */
const separatorOf = (text: string): string => {
  const first = text.split('\n', 100).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  const counted = SEPARATORS.map((separator) => [first.split(separator).length, separator] as const);
  return counted.toSorted((a, b) => b[0] - a[0])[0]?.[1] ?? ',';
};

/** Whether a cell may end at this place, blanks aside. */
const isCellEnd = (text: string, from: number, separator: string): boolean => {
  let at = from;
  while (text[at] === ' ') at += 1;
  const char = text[at];
  return char === undefined || char === separator || char === '\n' || char === '\r';
};

/**
 * Reads CSV (RFC 4180), leniently: comma, semicolon or tab, quotes where needed, CRLF or LF, a byte order mark, empty
 * lines and lines that begin with # are left out. Row by row: a million of them need not stand in memory. A plain list of addresses is CSV with one column.
 */
export const csvRows = function* (text: string): Generator<CsvRow> {
  const separator = separatorOf(text);
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let begun = 1;
  /** The row that ends here; undefined when there is nothing in it. */
  const endRow = (): CsvRow | undefined => {
    cells.push(cell.trim());
    const row = { line: begun, cells };
    cells = [];
    cell = '';
    begun = line;
    const empty = row.cells.every((each) => each === '');
    return empty || row.cells[0]?.startsWith('#') === true ? undefined : row;
  };
  let opened = { at: -1, line: 1 };
  for (let index = text.startsWith('\ufeff') ? 1 : 0; index < text.length || quoted; index += 1) {
    const char = text[index];
    if (char === '\n') line += 1;
    const doubled = char === '"' && text[index + 1] === '"';
    const closes = char === '"' && !doubled && isCellEnd(text, index + 1, separator);
    if (
      quoted &&
      (char === undefined || line - opened.line > MAX_CELL_LINES || (char === '"' && !doubled && !closes))
    ) {
      // back to the quote that opened it, which is a character like others then
      quoted = false;
      cell = '"';
      index = opened.at;
      line = opened.line;
    } else if (char === undefined) break;
    else if (quoted) {
      if (closes) quoted = false;
      else cell += char;
      if (doubled) index += 1;
    } else if (char === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
      opened = { at: index, line };
    } else if (char === separator) {
      cells.push(cell.trim());
      cell = '';
    } else if (char === '\n') {
      const row = endRow();
      if (row !== undefined) yield row;
    } else if (char !== '\r') cell += char;
  }
  if (cell === '' && cells.length === 0) return;
  const last = endRow();
  if (last !== undefined) yield last;
};

/** What a spreadsheet would take for a formula when a cell begins so. */
const FORMULA = /^[=+\-@\t\r]/;

/** One cell: quoted where it must be, and never a formula for the spreadsheet that opens it. */
const cellText = (value: string): string => {
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",;\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** The cell as it was before it was made safe. */
export const plainCell = (cell: string): string => (/^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell);

/** One line of CSV, CRLF included. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cellText).join(',')}\r\n`;
