import type { BanRow, ListRow } from '../../../model/index.ts';
import { csvLine } from '../../../protocol/index.ts';
import { ask } from '../../ask.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson } from '../../output/print.ts';
import type { ImportKind } from './import.ts';

export interface ExportOptions extends CommonOptions {
  readonly csv?: true | undefined;
}

const HEADING = ['Network/IP Address', 'Note', 'Until', 'Since', 'By'] as const;

const time = (at: number): string => new Date(at).toISOString();
const end = (until: number | null): string => (until === null ? 'permanent' : time(until));

/** Times are kept to the millisecond, so that what is exported and imported is the same. */
const cells = (row: BanRow | ListRow): readonly string[] => {
  const [note, by] = 'list' in row ? [row.note, row.author] : [row.reason, row.origin];
  return [row.subject, note, end(row.until), time(row.since), by];
};

/** `companion ban export`, `allow export`, `deny export`: JSON, or CSV that a spreadsheet opens without harm. */
export const exportRows = async (kind: ImportKind, options: ExportOptions): Promise<number> => {
  const all = await ask(options, (client) => client.list<BanRow | ListRow>(`${kind}.list`));
  const rows = all.filter((row) => 'list' in row || row.kind === 'ban');
  if (options.csv !== true) printJson(kind === 'ban' ? { bans: rows, total: rows.length } : rows);
  else {
    process.stdout.write(csvLine(HEADING));
    for (const row of rows) process.stdout.write(csvLine(cells(row)));
  }
  return EXIT.ok;
};
