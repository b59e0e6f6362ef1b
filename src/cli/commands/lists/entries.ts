import { parseDuration } from '../../../model/index.ts';
import type { ListRow } from '../../../model/index.ts';
import { ask } from '../../ask.ts';
import { author } from '../../author.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson, printLines } from '../../output/print.ts';
import { placeText } from '../../output/place.ts';
import { table } from '../../output/table.ts';
import type { Column } from '../../output/table.ts';
import { formatLeft, formatTime, paint, shown, terminalWidth } from '../../output/text.ts';

export type ListName = 'allow' | 'deny';

export interface ListAddOptions extends CommonOptions {
  readonly note: string;
  readonly for?: string | undefined;
  /** Of the deny list only. */
  readonly force?: true | undefined;
}

/** `companion allow add ADDRESS`, `companion deny add ADDRESS`. */
export const listAdd = async (list: ListName, subject: string, options: ListAddOptions): Promise<number> => {
  const durationMs = options.for === undefined ? undefined : parseDuration(options.for);
  const request = { subject, note: options.note, author: author(), durationMs, force: options.force };
  const row = await ask(options, (client) => client.call<ListRow>(`${list}.add`, request));
  const end = row.until === null ? 'without end' : `until ${formatTime(row.until)}`;
  if (options.json) printJson(row);
  else printLines([`${shown(row.subject)} is on the ${list} list ${end}.`]);
  return EXIT.ok;
};

const columns = (placed: boolean, now: number): readonly Column<ListRow>[] => [
  { title: 'ADDRESS', cell: (row) => row.subject, style: (row) => (row.list === 'allow' ? 'green' : 'red') },
  ...(placed ? [{ title: 'WHERE', cell: (row: ListRow) => placeText(row.place) || '-', shrinks: true }] : []),
  { title: 'SINCE', cell: (row) => formatTime(row.since), spare: 2 },
  { title: 'ENDS', cell: (row) => formatLeft(row.until, now) },
  { title: 'BY', cell: (row) => row.author, shrinks: true, spare: 1 },
  { title: 'NOTE', cell: (row) => row.note, shrinks: true },
];

/** `companion allow list`, `companion deny list`. */
export const listShow = async (list: ListName, options: CommonOptions): Promise<number> => {
  const rows = await ask(options, (client) => client.list<ListRow>(`${list}.list`));
  if (options.json) printJson(rows);
  else if (rows.length === 0) printLines([`The ${list} list is empty.`]);
  else {
    const placed = rows.some(({ place }) => place !== undefined);
    const shownRows = table(rows, columns(placed, Date.now()), terminalWidth());
    printLines([...shownRows, paint('dim', `${rows.length} in all`)]);
  }
  return EXIT.ok;
};

/** What follows a file or the configuration returns with it. */
const comesBack = (standsIn: string | undefined): string[] => {
  if (standsIn === undefined) return [];
  const [kind, ...where] = standsIn.split(':');
  const place =
    kind === 'file'
      ? `the file ${where.join(':')}`
      : kind === 'name'
        ? `the name ${where.join(':')}`
        : 'the configuration';
  return [`It comes from ${shown(place)}, and is back when that is read again: take it out there, too.`];
};

/** `companion allow remove ADDRESS`, `companion deny remove ADDRESS`. */
export const listRemove = async (list: ListName, subject: string, options: CommonOptions): Promise<number> => {
  const result = await ask(options, (client) =>
    client.call<{ removed: string[]; standsIn?: string }>(`${list}.remove`, { subject, author: author() }),
  );
  if (options.json) printJson(result);
  else printLines([`Removed from the ${list} list: ${shown(subject)}.`, ...comesBack(result.standsIn)]);
  return EXIT.ok;
};
