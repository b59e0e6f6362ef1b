import { formatDuration } from '../../model/index.ts';
import type { TuneReport, TuneRow } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson, printLines } from '../output/print.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { formatTime, paint, shown, terminalWidth } from '../output/text.ts';
import type { ReportOptions } from './report.ts';

const ROWS: readonly Column<TuneRow>[] = [
  { title: 'SETTING', cell: ({ setting }) => setting },
  { title: 'NOW', cell: ({ current }) => String(current) },
  { title: 'P99.9', cell: ({ p999, windows }) => (windows === 0 ? '-' : String(p999)) },
  { title: 'MOST', cell: ({ max, windows }) => (windows === 0 ? '-' : String(max)), spare: 2 },
  { title: 'WINDOWS', cell: ({ windows }) => String(windows), spare: 3 },
  {
    title: 'ADVICE',
    cell: ({ advice, proposal }) =>
      advice === 'raise' || advice === 'lower' ? `${advice} to ${proposal}` : advice.replaceAll('-', ' '),
    style: ({ advice }) => (advice === 'raise' ? 'red' : advice === 'lower' ? 'yellow' : undefined),
  },
  { title: 'WHAT IS COUNTED', cell: ({ what }) => what, shrinks: true, spare: 1 },
];

const lines = (report: TuneReport): string[] => {
  const little = report.rows.some(({ advice }) => advice === 'too-little-data');
  return [
    `Busiest moments of known customers from ${formatTime(report.from)} to ${formatTime(report.to)}`,
    '',
    ...table(report.rows, ROWS, terminalWidth()),
    ...(little
      ? [
          '',
          `Too little data for some: a proposal needs ${report.leastWindows} windows and ${formatDuration(report.leastMs)} of counting (kept over restarts).`,
        ]
      : []),
    ...(report.yaml === ''
      ? []
      : ['', paint('bold', 'For the configuration (then companion reload)'), ...report.yaml.split('\n').map(shown)]),
  ];
};

/** `companion tune`: thresholds by what this site's customers do. */
export const tune = async (options: ReportOptions): Promise<number> => {
  const found = await ask(options, (client) => client.call<TuneReport>('tune', { since: options.since }));
  if (options.json) printJson(found);
  else printLines(lines(found));
  return EXIT.ok;
};
