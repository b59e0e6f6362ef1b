import { MAX_IMPORT_ROWS } from '../../../admin/index.ts';
import { parseDuration } from '../../../model/index.ts';
import type { ImportReport } from '../../../model/index.ts';
import { readRows } from '../../../protocol/index.ts';
import type { FileProblem } from '../../../protocol/index.ts';
import { ask } from '../../ask.ts';
import { author } from '../../author.ts';
import { readFail2banDatabase } from '../../exchange/fail2ban-database.ts';
import { readText } from '../../exchange/read-file.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson, printLines } from '../../output/print.ts';
import { progress } from '../../output/progress.ts';
import { paint, shown } from '../../output/text.ts';

export interface ImportOptions extends CommonOptions {
  readonly dryRun?: true | undefined;
  readonly force?: true | undefined;
  readonly for?: string | undefined;
}

export type ImportKind = 'ban' | 'allow' | 'deny';

/** Problems that are shown of many; `--json` has all. */
const MAX_SHOWN = 20;

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** `companion ban import FILE`, `allow import`, `deny import`: exit 1 when a row was not taken. */
export const importRows = async (kind: ImportKind, file: string, options: ImportOptions): Promise<number> => {
  const durationMs = options.for === undefined ? undefined : parseDuration(options.for);
  const { rows, problems: unread } =
    (await readFail2banDatabase(file)) ?? readRows(await readText(file), Date.now(), kind);
  const problems: FileProblem[] = [...unread];
  const total = { added: 0, same: 0, ended: 0 };
  const dryRun = options.dryRun === true;
  const bar = progress(dryRun ? 'Looking at rows' : 'Importing', rows.length);
  await ask(options, async (client) => {
    for (let start = 0; start < rows.length; start += MAX_IMPORT_ROWS) {
      const part = rows.slice(start, start + MAX_IMPORT_ROWS);
      const report = await client.call<ImportReport>(`${kind}.import`, {
        rows: part.map(({ subject, note, until }) => ({ subject, note, until })),
        author: author(),
        dryRun,
        ...(durationMs === undefined ? {} : { durationMs }),
        ...(options.force === true ? { force: true } : {}),
      });
      for (const key of ['added', 'same', 'ended'] as const) total[key] += report[key];
      for (const { row, subject, message } of report.problems)
        problems.push({ line: part[row]?.line ?? 0, subject, message });
      bar.to(start + part.length);
    }
  }).finally(() => bar.end());
  problems.sort((a, b) => a.line - b.line);
  if (options.json) printJson({ ...total, dryRun, problems });
  else {
    const counts = [
      `${plural(total.added, 'row')} ${dryRun ? 'would be' : ''} added`.replace('  ', ' '),
      ...(total.same > 0 ? [`${total.same} ${total.same === 1 ? 'stands' : 'stand'} already`] : []),
      ...(total.ended > 0 ? [`${total.ended} ${total.ended === 1 ? 'has' : 'have'} ended`] : []),
      ...(problems.length > 0 ? [`${problems.length} not taken`] : []),
    ];
    const more = problems.length - MAX_SHOWN;
    printLines([
      ...problems
        .slice(0, MAX_SHOWN)
        .map(({ line, message }) => `${paint('yellow', `${shown(file)}:${line}`)} ${shown(message)}`),
      ...(more > 0 ? [`… and ${more} more, see --json`] : []),
      `${counts.join(', ')}.`,
    ]);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
};
