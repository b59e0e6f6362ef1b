import { setTimeout } from 'node:timers/promises';
import { CompanionError, formatDuration } from '../../model/index.ts';
import type { Barred, GeoReport, GeoDatabaseRow, Place } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { author } from '../author.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { placeText } from '../output/place.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { paint, shown, terminalWidth } from '../output/text.ts';

const LOOK_MS = 500;
/** A little longer than the service gives the slowest database. */
const PATIENCE_MS = 1_000_000;

const day = (at: number | null): string => (at === null ? '-' : new Date(at).toISOString().slice(0, 10));

const DATABASES: readonly Column<GeoDatabaseRow>[] = [
  { title: 'DATABASE', cell: ({ type }) => type || '-' },
  { title: 'KNOWS', cell: ({ knows }) => knows.join(', ') || '-', spare: 1 },
  { title: 'BUILT', cell: ({ builtAt }) => day(builtAt) },
  { title: 'FILE', cell: ({ file }) => file, shrinks: true },
  { title: 'PROBLEM', cell: ({ problem }) => problem || '-', shrinks: true },
];

const lines = (report: GeoReport): string[] => [
  ...(report.databases.length === 0
    ? ["There is no database of countries or networks. 'companion geo update' fetches DB-IP's free ones."]
    : table(report.databases, DATABASES, terminalWidth())),
  ...(report.ageMs === null ? [] : [paint('dim', `the oldest was built ${formatDuration(report.ageMs)} ago`)]),
];

/** `companion geo status`. */
export const geoStatus = async (options: CommonOptions): Promise<number> => {
  const report = await ask(options, (client) => client.call<GeoReport>('geo.report', {}));
  if (options.json) printJson(report);
  else printLines(lines(report));
  return EXIT.ok;
};

/** `companion geo show IP`. */
export const geoShow = async (ip: string, options: CommonOptions): Promise<number> => {
  type Shown = { readonly ip: string; readonly place: Place; readonly barred: Barred | null };
  const found = await ask(options, (client) => client.call<Shown>('geo.show', { ip }));
  if (options.json) printJson(found);
  else {
    const where = placeText(found.place);
    printLines([
      `${shown(found.ip)} is ${where === '' ? 'in no database' : `in ${shown(where)}`}.`,
      ...(found.barred === null
        ? []
        : [paint('red', `Strangers from there are ${found.barred.state}: ${shown(found.barred.reason)}.`)]),
    ]);
  }
  return EXIT.ok;
};

/** `companion geo update`: the service fetches, this waits. Exit 1 when a file could not be had. */
export const geoUpdate = async (options: CommonOptions): Promise<number> => {
  let report = await ask(options, (client) => client.call<GeoReport>('geo.update', { author: author() }));
  const until = Date.now() + PATIENCE_MS;
  while (report.update.running) {
    if (Date.now() > until)
      throw new CompanionError('GEO_INVALID', "The update takes too long; 'companion geo status' shows how it ends.");
    await setTimeout(LOOK_MS);
    report = await ask(options, (client) => client.call<GeoReport>('geo.report', {}));
  }
  const { files } = report.update;
  if (options.json) printJson(report);
  else
    printLines([
      ...files.map(({ url, outcome, message }) => {
        const word = outcome === 'same' ? 'no change' : outcome;
        return `${paint(outcome === 'failed' ? 'red' : 'green', word)} ${shown(url)}: ${shown(message)}`;
      }),
      ...(files.length === 0 ? ['Nothing is configured to be fetched (geo.download).'] : []),
    ]);
  return files.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.ok;
};
