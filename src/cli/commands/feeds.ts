import { setTimeout } from 'node:timers/promises';
import type { FeedRow } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { author } from '../author.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { formatTime, paint, shown, terminalWidth } from '../output/text.ts';

const LOOK_MS = 500;
/** Feeds answer within their deadlines; a long list is sifted for some seconds. */
const PATIENCE_MS = 120_000;

const COLUMNS: readonly Column<FeedRow>[] = [
  { title: 'FEED', cell: ({ name }) => name },
  { title: 'TYPE', cell: ({ type }) => type, spare: 2 },
  { title: 'STATE', cell: (row) => stateOf(row), style: (row) => (stateOf(row) === 'well' ? 'green' : 'yellow') },
  {
    title: 'BY HAND',
    cell: ({ switched }) => (switched === null ? '-' : `${switched.by} ${formatTime(switched.at)}`),
    spare: 1,
  },
  { title: 'ACTION', cell: ({ action }) => action, spare: 3 },
  { title: 'ENTRIES', cell: ({ entries }) => String(entries) },
  { title: 'READ', cell: ({ updatedAt }) => (updatedAt === null ? 'never' : formatTime(updatedAt)), spare: 4 },
  { title: 'HITS OURS', cell: ({ hits }) => String(hits) },
  { title: 'LAST ERROR', cell: ({ lastError }) => lastError || '-', shrinks: true },
];

const stateOf = ({ on, lastError, updatedAt }: FeedRow): string =>
  on ? (lastError === '' ? (updatedAt === null ? 'new' : 'well') : 'failing') : 'off';

const show = (rows: readonly FeedRow[], options: CommonOptions): void => {
  if (options.json) printJson(rows);
  else if (rows.length === 0) printLines(['No feeds are configured (feeds: in the configuration).']);
  else printLines([...table(rows, COLUMNS, terminalWidth()), paint('dim', `${rows.length} in all`)]);
};

/** `companion feed list`. */
export const feedList = async (options: CommonOptions): Promise<number> => {
  show(await ask(options, (client) => client.list<FeedRow>('feed.list')), options);
  return EXIT.ok;
};

/** `companion feed update [NAME]`: the service reads, this waits. Exit 1 when one could not be read. */
export const feedUpdate = async (name: string | undefined, options: CommonOptions): Promise<number> => {
  const mine = (rows: readonly FeedRow[]): readonly FeedRow[] =>
    rows.filter((row) => row.on && (name === undefined || row.name === name));
  const before = mine(await ask(options, (client) => client.list<FeedRow>('feed.list')));
  const params = { ...(name === undefined ? {} : { name }), author: author() };
  await ask(options, (client) => client.call<FeedRow[]>('feed.update', params));
  const until = Date.now() + PATIENCE_MS;
  let rows = before;
  const pending = (): boolean =>
    rows.some((row) => {
      const old = before.find((one) => one.name === row.name);
      return row.updatedAt === (old?.updatedAt ?? null) && row.lastError === '';
    });
  do {
    await setTimeout(LOOK_MS);
    rows = mine(await ask(options, (client) => client.list<FeedRow>('feed.list')));
  } while (pending() && Date.now() < until);
  show(rows, options);
  return rows.some(({ lastError }) => lastError !== '') || pending() ? EXIT.failed : EXIT.ok;
};

const untilWhen = (row: FeedRow | undefined): string =>
  row?.switched
    ? ", also after a restart, until 'enabled' is changed in the configuration"
    : ', as the configuration says';

/** `companion feed on NAME`, `companion feed off NAME`. */
export const feedSwitch = async (name: string, on: boolean, options: CommonOptions): Promise<number> => {
  const rows = await ask(options, (client) => client.call<FeedRow[]>('feed.switch', { name, on, author: author() }));
  if (options.json) printJson(rows);
  else
    printLines([`The feed ${shown(name)} is ${on ? 'on' : 'off'}${untilWhen(rows.find((row) => row.name === name))}.`]);
  return EXIT.ok;
};
