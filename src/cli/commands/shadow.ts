import type { ShadowReport, ShadowSource } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import type { ReportOptions } from './report.ts';
import { printJson, printLines } from '../output/print.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { formatTime, paint, shown, terminalWidth } from '../output/text.ts';

const CUSTOMERS: Readonly<Record<ShadowSource['customers'], string>> = {
  before: 'registered before',
  since: 'registered since',
  none: '-',
};

const SOURCES: readonly Column<ShadowSource>[] = [
  { title: 'SOURCE', cell: ({ subject }) => subject },
  { title: 'WOULD BE', cell: ({ outcome }) => outcome },
  {
    title: 'CUSTOMERS',
    cell: ({ customers }) => CUSTOMERS[customers] ?? '?',
    style: ({ customers }) => (customers === 'none' ? undefined : 'red'),
  },
  { title: 'DECISIONS', cell: ({ decisions }) => String(decisions), spare: 2 },
  { title: 'FIRST', cell: ({ first }) => formatTime(first), spare: 1 },
  { title: 'LAST', cell: ({ last }) => formatTime(last), spare: 3 },
  { title: 'RULES', cell: ({ rules }) => rules.join(' '), shrinks: true },
];

type RuleRow = readonly [string, ShadowReport['rules'][string]];

const RULES: readonly Column<RuleRow>[] = [
  { title: 'RULE', cell: ([rule]) => rule },
  { title: 'DECISIONS', cell: ([, { decisions }]) => String(decisions) },
  { title: 'SOURCES', cell: ([, { sources }]) => String(sources) },
  {
    title: 'CUSTOMERS',
    cell: ([, { suspected }]) => String(suspected),
    style: ([, { suspected }]) => (suspected === 0 ? undefined : 'red'),
  },
];

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const lines = (report: ShadowReport): string[] => {
  const span = `${formatTime(report.from)} to ${formatTime(report.to)}`;
  const cut = report.cut ? ' (the trail is longer than one report reads: it begins later than asked for)' : '';
  if (report.decisions === 0) {
    const how =
      report.mode === 'shadow' ? 'all is in shadow mode' : "with 'mode: shadow', or of rules that are set to shadow";
    return [`Nothing was decided and not enforced from ${span}${cut} (${how}).`];
  }
  const more = report.sourcesTotal - report.sources.length;
  return [
    `${plural(report.sourcesTotal, 'source')} would have been hit from ${span}${cut}`,
    report.suspected === 0
      ? 'No customer authenticated at any of them.'
      : paint(
          'red',
          `At ${report.suspected} of them customers authenticated: suspected false alarms. 'companion why' tells of each.`,
        ),
    '',
    ...table(
      Object.entries(report.rules).toSorted((a, b) => b[1].decisions - a[1].decisions),
      RULES,
      terminalWidth(),
    ),
    '',
    ...table(report.sources, SOURCES, terminalWidth()),
    ...(more > 0 ? [paint('dim', `… and ${shown(more)} more sources`)] : []),
  ];
};

/** `companion shadow report`: who would have been hit by what is only rehearsed. */
export const shadowReport = async (options: ReportOptions): Promise<number> => {
  const found = await ask(options, (client) => client.call<ShadowReport>('shadow.report', { since: options.since }));
  if (options.json) printJson(found);
  else printLines(lines(found));
  return EXIT.ok;
};
