import { CompanionError, parseDuration } from '../../model/index.ts';
import type { ImportRow } from '../../model/index.ts';
import { columnsOf, isNetmask, withMask } from './columns.ts';
import type { Field } from './columns.ts';
import { csvRows, plainCell } from './csv.ts';
import type { CsvRow } from './csv.ts';
import { secfilterSubject } from './secfilter.ts';

/** A row of a file, and where it stood. */
export interface FileRow extends ImportRow {
  readonly line: number;
}

export interface FileProblem {
  readonly line: number;
  readonly subject: string;
  readonly message: string;
}

export interface ReadRows {
  readonly rows: readonly FileRow[];
  readonly problems: readonly FileProblem[];
}

/** Text of a cell or of a JSON value; of anything that is neither text nor number, its JSON. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

/** `permanent`, RFC 3339, or seconds or milliseconds since 1970 → milliseconds, null without end. */
const readUntil = (value: unknown): number | null | undefined => {
  if (value === null || value === 'permanent') return null;
  if (value === undefined || value === '') return undefined;
  const text = textOf(value);
  if (/^\d{1,15}$/.test(text)) return Number(text) * (text.length > 11 ? 1 : 1_000);
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/^\d{4}-/.test(text))
    throw new CompanionError(
      'REQUEST_INVALID',
      `'${text.slice(0, 40)}' is not a time. Write for example 2027-01-31T12:00:00Z or permanent.`,
    );
  return at;
};

interface Raw {
  readonly line: number;
  readonly subject?: unknown;
  /** Netmask of an IPv4 network. */
  readonly mask?: string | undefined;
  readonly note?: unknown;
  readonly until?: unknown;
  readonly duration?: unknown;
  /** The row cannot be one of this list, and why. */
  readonly unfit?: CompanionError | undefined;
}

/** What the rows are read for: other programs keep several lists in one table. */
export type RowList = 'ban' | 'allow' | 'deny';

const readRow = (raw: Raw, now: number): FileRow => {
  const { line, duration } = raw;
  if (raw.unfit !== undefined) throw raw.unfit;
  if (typeof raw.subject !== 'string' || raw.subject === '')
    throw new CompanionError('ADDRESS_INVALID', 'There is no address in this row.');
  const row = {
    line,
    subject: withMask(raw.subject.slice(0, 200), raw.mask ?? ''),
    ...(raw.note ? { note: textOf(raw.note).slice(0, 2_000) } : {}),
  };
  if (typeof duration === 'string' && duration !== '') {
    const ms = parseDuration(duration);
    return { ...row, until: ms === null ? null : now + ms };
  }
  const until = readUntil(raw.until);
  return until === undefined ? row : { ...row, until };
};

const gather = (raws: Iterable<Raw>, now: number): ReadRows => {
  const rows: FileRow[] = [];
  const problems: FileProblem[] = [];
  for (const raw of raws) {
    try {
      rows.push(readRow(raw, now));
    } catch (error) {
      if (!(error instanceof CompanionError)) throw error;
      problems.push({ line: raw.line, subject: textOf(raw.subject).slice(0, 60), message: error.message });
    }
  }
  return { rows, problems };
};

/** Rows of Kamailio's secfilter table, exported with its headings. */
const fromSecfilter = function* (names: readonly string[], rows: Iterable<CsvRow>, list: RowList): Generator<Raw> {
  for (const { line, cells } of rows) {
    const row = Object.fromEntries(names.map((name, index) => [name, cells[index]]));
    try {
      const subject = secfilterSubject(row, list);
      if (subject !== undefined) yield { line, subject, note: 'secfilter' };
    } catch (error) {
      if (!(error instanceof CompanionError)) throw error;
      yield { line, subject: row['data'], unfit: error };
    }
  }
};

const withFirst = function* (first: Iterable<CsvRow>, rows: Iterable<CsvRow>): Generator<CsvRow> {
  yield* first;
  yield* rows;
};

/** `; Spamhaus DROP List` and `// ours`, where no column is an address that may be missing. */
const isRemark = ([first = '', ...more]: readonly string[]): boolean =>
  first.startsWith(';') || first.startsWith('//') || (first === '' && more.length > 0);

const fromCsv = function* (text: string, list: RowList): Generator<Raw> {
  const rows = csvRows(text);
  const begin = rows.next();
  if (begin.done === true) return;
  const first = begin.value;
  const names = first.cells.map((cell) => cell.toLowerCase());
  if (['action', 'type', 'data'].every((name) => names.includes(name))) {
    yield* fromSecfilter(names, rows, list);
    return;
  }
  const next = rows.next();
  const second = next.done === true ? undefined : next.value;
  const { fields, headed } = columnsOf(first.cells, second?.cells);
  const read = [...(headed ? [] : [first]), ...(second === undefined ? [] : [second])];
  for (const { line, cells } of withFirst(read, rows)) {
    if (!headed && isRemark(cells)) continue;
    const raw: Partial<Record<Field, string>> = {};
    for (const [index, field] of fields.entries()) {
      if (field !== undefined) raw[field] ??= plainCell(cells[index] ?? '');
    }
    // `203.0.113.7 # somebody` and `203.0.113.7 somebody`, as in plain lists; `203.0.113.0 255.255.255.0`
    const [subject = '', ...words] = (raw.subject ?? '').split(/\s+/);
    const masked = isNetmask(words[0] ?? '');
    const remark = (masked ? words.slice(1) : words).join(' ').replace(/^(?:#|;|\/\/)\s*/, '');
    yield { line, ...raw, subject, mask: raw.mask || (masked ? words[0] : ''), note: raw.note || remark };
  }
};

type Unknown = Readonly<Record<string, unknown>>;

const fromJson = function* (value: unknown): Generator<Raw> {
  const holder = value as { bans?: unknown; rows?: unknown; decisions?: unknown } | null;
  const rows: unknown = Array.isArray(value) ? value : (holder?.bans ?? holder?.rows ?? holder?.decisions);
  if (!Array.isArray(rows)) throw new CompanionError('REQUEST_INVALID', 'The JSON holds no list of rows.');
  for (const [index, row] of (rows as unknown[]).entries()) {
    const line = index + 1;
    if (typeof row === 'string') yield { line, subject: row };
    else {
      const { subject, ip, address, value: given, note, reason, until, expires_at, duration } = (row ?? {}) as Unknown;
      const end = until === undefined ? expires_at : until;
      yield { line, subject: subject ?? ip ?? address ?? given, note: note ?? reason, until: end, duration };
    }
  }
};

/**
 * Rows of a file in CSV, as a plain list, as the table of Kamailio's secfilter, or in JSON (our own exports, the bans of
 * SIP Guardian, lists of addresses).
 * @throws CompanionError REQUEST_INVALID when it is none of them as a whole
 */
export const readRows = (text: string, now: number, list: RowList = 'deny'): ReadRows => {
  const json = /^\ufeff?\s*[[{]/.test(text) && !/^\ufeff?\s*\[[0-9a-f:.]+\]/i.test(text);
  if (!json) return gather(fromCsv(text, list), now);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new CompanionError('REQUEST_INVALID', `The file looks like JSON, but is not: ${why.slice(0, 100)}.`);
  }
  return gather(fromJson(value), now);
};
