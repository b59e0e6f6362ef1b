import { statSync } from 'node:fs';
import { CompanionError, canonicalIp, escapeText, formatDuration } from '../../model/index.ts';
import { reportFailure } from '../failure.ts';
import { printJson, printLines } from '../output/print.ts';
import { progress } from '../output/progress.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { formatTime, paint, shown, terminalWidth } from '../output/text.ts';
import type { Style } from '../output/text.ts';
import { runUnlimited } from '../young-space.ts';
import type { Difference, Rehearsed, SourceRow } from '../../rehearse/index.ts';

export interface ReplayOptions {
  readonly config?: string | undefined;
  readonly against?: string | undefined;
  readonly server?: string | undefined;
  readonly all?: true | undefined;
  readonly json?: true | undefined;
}

/** For the pipeline of an operator. Usage errors are 3, as everywhere. */
const EXIT = { same: 0, differs: 1, unreadable: 2 } as const;

/** Rows of the table; whoever wants all of them asks for it. */
const MAX_ROWS = 50;
/** Times before this are those of a recording that starts at zero. */
const YEAR_2000_MS = 946_684_800_000;

const STYLES: Readonly<Partial<Record<SourceRow['state'], Style>>> = {
  banned: 'red',
  denied: 'red',
  quarantined: 'yellow',
  throttled: 'yellow',
  good: 'green',
  allowed: 'green',
};

const flagged = ({ flaggedAt }: SourceRow): string => (flaggedAt === null ? '-' : `message ${flaggedAt}`);

const ROWS: readonly Column<SourceRow>[] = [
  { title: 'SOURCE', cell: ({ ip }) => ip },
  { title: 'MESSAGES', cell: ({ messages }) => String(messages), spare: 1 },
  { title: 'FLAGGED AT', cell: flagged },
  { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => STYLES[state] },
  { title: 'RULES', cell: ({ rules }) => (rules.length === 0 ? '-' : rules.join(', ')), shrinks: true },
];

const DIFFERENCES: readonly Column<Difference>[] = [
  { title: 'SOURCE', cell: ({ ip }) => ip },
  { title: 'FLAGGED AT', cell: ({ before, after }) => `${flagged(before)} → ${flagged(after)}` },
  { title: 'STATE', cell: ({ before, after }) => `${before.state} → ${after.state}` },
  {
    title: 'RULES',
    cell: ({ before, after }) => `${before.rules.join(', ') || '-'} → ${after.rules.join(', ') || '-'}`,
    shrinks: true,
  },
];

const serversOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const ip = canonicalIp(part);
      if (ip !== undefined) return ip;
      const message = `--server: '${escapeText(part, 60)}' is not an IP address. Write for example --server 192.0.2.10,2001:db8::10.`;
      throw new CompanionError('ADDRESS_INVALID', message);
    });

const sizeOf = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'nothing';

const attackersFirst = (a: SourceRow, b: SourceRow): number =>
  Number(a.flaggedAt === null) - Number(b.flaggedAt === null) || b.messages - a.messages;

const tableLines = ({ servers, drops, firstAt, lastAt, results }: Rehearsed, all: boolean): string[] => {
  const { rows, totals } = results[0]!;
  const sorted = rows.toSorted(attackersFirst);
  const listed = all ? sorted : sorted.slice(0, MAX_ROWS);
  const more = sorted.length - listed.length;
  const time = `${formatDuration(Math.round(lastAt - firstAt))}${firstAt < YEAR_2000_MS ? '' : ` from ${formatTime(firstAt)}`}`;
  return [
    ...table(listed, ROWS, terminalWidth()),
    ...(more > 0 ? [paint('dim', `… and ${more} more; --all shows them.`)] : []),
    '',
    `Server ${servers.slice(0, 8).map(shown).join(', ')}${servers.length > 8 ? ` and ${servers.length - 8} more` : ''}; ${time}`,
    `${totals.messages} messages of ${totals.sources} sources, ${totals.flagged} of them flagged; ${totals.outcomes} outcomes`,
    `Requests: ${counted(totals.handled)}`,
    `Not judged: ${counted({ ...drops, 'table-full': totals.untold })}`,
  ];
};

const differenceLines = (differences: readonly Difference[], all: boolean): string[] => {
  if (differences.length === 0) return ['', 'Both policies treat every source the same.'];
  const listed = all ? differences : differences.slice(0, MAX_ROWS);
  const more = differences.length - listed.length;
  return [
    '',
    paint('bold', `${differences.length} sources are treated differently (old → new):`),
    ...table(listed, DIFFERENCES, terminalWidth()),
    ...(more > 0 ? [paint('dim', `… and ${more} more; --all shows them.`)] : []),
  ];
};

const load = async ({ config, against }: ReplayOptions) => {
  const [{ loadConfig }, { companionSchema: schema }] = await Promise.all([
    import('../../config/index.ts'),
    import('../../judging/index.ts'),
  ]);
  const policy = loadConfig({ file: config, env: process.env, schema });
  return against === undefined ? [policy] : [policy, loadConfig({ file: against, schema })];
};

/** `companion replay FILE…`: exit 1 when the two policies differ, 2 when a capture or configuration cannot be read. */
export const replay = async (files: readonly string[], options: ReplayOptions): Promise<number> => {
  try {
    const servers = serversOf(options.server);
    const done = await runUnlimited();
    if (done !== undefined) return done;
    const [policies, { differencesOf, rehearse }] = await Promise.all([
      load(options),
      import('../../rehearse/index.ts'),
    ]);
    const bar = progress('replay', sizeOf(files));
    const rehearsed = rehearse({ files, servers, policies, progress: bar.to });
    bar.end();
    const [now, old] = rehearsed.results;
    const differences = old === undefined ? [] : differencesOf(old.rows, now!.rows);
    if (options.json) {
      const before = new Map(differences.map((difference) => [difference.ip, difference.before]));
      for (const row of now!.rows) {
        const was = before.get(row.ip);
        if (was === undefined) printJson(row);
        else printJson({ ...row, before: { flaggedAt: was.flaggedAt, state: was.state, rules: was.rules } });
      }
    } else {
      printLines(tableLines(rehearsed, options.all === true));
      if (old !== undefined) printLines(differenceLines(differences, options.all === true));
    }
    return differences.length > 0 ? EXIT.differs : EXIT.same;
  } catch (error) {
    const code = reportFailure(error, options.json === true);
    return error instanceof CompanionError && error.code !== 'INTERNAL' && code === 1 ? EXIT.unreadable : code;
  }
};
