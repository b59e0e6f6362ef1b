import { parseDuration } from '../../../model/index.ts';
import type { BanRow } from '../../../model/index.ts';
import { ask } from '../../ask.ts';
import { author } from '../../author.ts';
import { EXIT } from '../../exit-codes.ts';
import type { CommonOptions } from '../../options.ts';
import { printJson, printLines } from '../../output/print.ts';
import { placeText } from '../../output/place.ts';
import { table } from '../../output/table.ts';
import type { Column } from '../../output/table.ts';
import { formatLeft, formatTime, paint, shown, terminalWidth } from '../../output/text.ts';

export interface BanAddOptions extends CommonOptions {
  readonly for?: string | undefined;
  readonly reason: string;
  readonly force?: true | undefined;
}

export interface BanListOptions extends CommonOptions {
  readonly all?: true | undefined;
}

const endOf = (row: { readonly until: number | null }): string =>
  row.until === null ? 'without end' : `until ${formatTime(row.until)} (${formatLeft(row.until, Date.now())})`;

/** `companion ban add ADDRESS`. */
export const banAdd = async (subject: string, options: BanAddOptions): Promise<number> => {
  const durationMs = options.for === undefined ? undefined : parseDuration(options.for);
  const request = { subject, reason: options.reason, author: author(), durationMs, force: options.force };
  const row = await ask(options, (client) => client.call<BanRow>('ban.add', request));
  if (options.json) printJson(row);
  else printLines([`${shown(row.subject)} is banned ${endOf(row)}.`]);
  return EXIT.ok;
};

const columns = (all: boolean, placed: boolean, now: number): readonly Column<BanRow>[] => [
  { title: 'ADDRESS', cell: (row) => row.subject, style: (row) => (row.kind === 'ban' ? 'red' : 'yellow') },
  ...(all
    ? [
        {
          title: 'KIND',
          cell: (row: BanRow) => (row.user === undefined ? row.kind : `${row.kind} ${row.user}`),
          shrinks: true,
        },
      ]
    : []),
  ...(placed ? [{ title: 'WHERE', cell: (row: BanRow) => placeText(row.place) || '-', shrinks: true }] : []),
  { title: 'SINCE', cell: (row) => formatTime(row.since), spare: 3 },
  { title: 'ENDS', cell: (row) => formatLeft(row.until, now) },
  { title: 'LEVEL', cell: (row) => String(row.level), spare: 1 },
  { title: 'BY', cell: (row) => row.origin, spare: 2 },
  { title: 'REASON', cell: (row) => row.reason, shrinks: true },
];

/** `companion ban list`: bans, newest last; with `--all` also quarantines and throttles. */
export const banList = async (options: BanListOptions): Promise<number> => {
  const rows = await ask(options, (client) => client.list<BanRow>('ban.list'));
  const all = options.all === true;
  const bans = rows.filter(({ kind }) => all || kind === 'ban').sort((a, b) => a.since - b.since);
  if (options.json) printJson({ bans, total: bans.length });
  else if (bans.length === 0) printLines([all ? 'Nobody is banned, quarantined or throttled.' : 'Nobody is banned.']);
  else
    printLines([
      ...table(
        bans,
        columns(
          all,
          bans.some(({ place }) => place !== undefined),
          Date.now(),
        ),
        terminalWidth(),
      ),
      paint('dim', `${bans.length} in all`),
    ]);
  return EXIT.ok;
};

/** `companion ban remove ADDRESS`. */
export const banRemove = async (subject: string, options: CommonOptions): Promise<number> => {
  const result = await ask(options, (client) =>
    client.call<{ removed: string[] }>('ban.remove', { subject, author: author() }),
  );
  if (options.json) printJson(result);
  else printLines([`Lifted for ${shown(subject)}: ${result.removed.map(shown).join(', ')}.`]);
  return EXIT.ok;
};
