/** A row with the line of the file on which it begins. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

const SEPARATORS = [',', ';', '\t'] as const;

/** The separator that the first line with content uses most; a comma where none is there. */
const separatorOf = (text: string): string => {
  const first = text.split('\n', 100).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  const counted = SEPARATORS.map((separator) => [first.split(separator).length, separator] as const);
  return counted.toSorted((a, b) => b[0] - a[0])[0]?.[1] ?? ',';
};

/**
 * Reads CSV (RFC 4180), leniently: comma, semicolon or tab, quotes where needed, CRLF or LF, a byte order mark, empty
 * lines and lines that begin with # are left out. A plain list of addresses is CSV with one column.
 */
export const parseCsv = (text: string): CsvRow[] => {
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let begun = 1;
  const endRow = (): void => {
    cells.push(cell.trim());
    const empty = cells.every((each) => each === '');
    if (!empty && cells[0]?.startsWith('#') !== true) rows.push({ line: begun, cells });
    cells = [];
    cell = '';
    begun = line;
  };
  for (let index = text.startsWith('\ufeff') ? 1 : 0; index < text.length; index += 1) {
    const char = text[index]!;
    if (char === '\n') line += 1;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else quoted = false;
    } else if (char === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
    } else if (char === separator) {
      cells.push(cell.trim());
      cell = '';
    } else if (char === '\n') endRow();
    else if (char !== '\r') cell += char;
  }
  if (cell !== '' || cells.length > 0) endRow();
  return rows;
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
