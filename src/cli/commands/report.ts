import type { AttackReport, AttackSource } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { placeText } from '../output/place.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { formatTime, paint, shown, terminalWidth } from '../output/text.ts';
import type { Style } from '../output/text.ts';

export interface ReportOptions extends CommonOptions {
  readonly since: string;
}

const OUTCOME_STYLE: Readonly<Record<AttackSource['outcome'], Style>> = {
  ban: 'red',
  quarantine: 'yellow',
  throttle: 'yellow',
  'throttle-user': 'yellow',
};

const columns = (placed: boolean): readonly Column<AttackSource>[] => [
  { title: 'SOURCE', cell: ({ subject }) => subject },
  { title: 'OUTCOME', cell: ({ outcome }) => outcome, style: ({ outcome }) => OUTCOME_STYLE[outcome] },
  { title: 'DECISIONS', cell: ({ decisions }) => String(decisions), spare: 2 },
  { title: 'FIRST', cell: ({ first }) => formatTime(first), spare: 1 },
  { title: 'LAST', cell: ({ last }) => formatTime(last), spare: 3 },
  ...(placed ? [{ title: 'WHERE', cell: ({ place }: AttackSource) => placeText(place) || '-', shrinks: true }] : []),
  { title: 'RULES', cell: ({ rules }) => rules.join(' '), shrinks: true },
  { title: 'AGENT', cell: ({ agent }) => agent || '-', shrinks: true },
];

/** `Rules: enumeration.distinct 3, density.source 1`, most first. */
const tallied = (title: string, counts: Readonly<Record<string, number>>): string[] => {
  const sorted = Object.entries(counts).toSorted((a, b) => b[1] - a[1]);
  return sorted.length === 0
    ? []
    : [`${paint('bold', title)} ${sorted.map(([name, count]) => `${shown(name)} ${count}`).join(', ')}`];
};

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const lines = (report: AttackReport): string[] => {
  const span = `${formatTime(report.from)} to ${formatTime(report.to)}`;
  const cut = report.cut ? ' (the trail is longer than one report reads: it begins later than asked for)' : '';
  if (report.decisions === 0) return [`No attacks from ${span}${cut}.`];
  const more = report.sourcesTotal - report.sources.length;
  return [
    `${plural(report.decisions, 'decision')} against ${plural(report.sourcesTotal, 'source')} from ${span}${cut}`,
    '',
    ...tallied('Outcome:', report.outcomes),
    ...tallied('Rules:', report.rules),
    ...tallied('Agents:', report.agents),
    ...tallied('Countries:', report.countries),
    '',
    ...table(report.sources, columns(report.sources.some(({ place }) => place !== undefined)), terminalWidth()),
    ...(more > 0 ? [paint('dim', `… and ${more} more sources`)] : []),
  ];
};

/** `companion report`: what was attacked, by whom, and what became of it. */
export const report = async (options: ReportOptions): Promise<number> => {
  const found = await ask(options, (client) => client.call<AttackReport>('report', { since: options.since }));
  if (options.json) printJson(found);
  else printLines(lines(found));
  return EXIT.ok;
};
