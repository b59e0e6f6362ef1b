import { formatDuration } from '../../model/index.ts';
import type { BanRow, NodeStatus, StatusReport } from '../../model/index.ts';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { paint, shown, terminalWidth } from '../output/text.ts';
import type { Style } from '../output/text.ts';

const STATE_STYLE: Readonly<Record<NodeStatus['state'], Style>> = {
  connected: 'green',
  degraded: 'yellow',
  down: 'red',
};

/** What is not zero, as `ipban 2, companion_state 5`. */
const figures = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const NODES: readonly Column<NodeStatus>[] = [
  { title: 'SERVER', cell: (node) => node.name },
  { title: 'STATE', cell: (node) => node.state, style: (node) => STATE_STYLE[node.state] },
  { title: 'VERSION', cell: (node) => node.version || '-', shrinks: true, spare: 2 },
  {
    title: 'UP',
    cell: (node) => (node.uptimeSeconds > 0 ? formatDuration(node.uptimeSeconds * 1_000) : '-'),
    spare: 1,
  },
  { title: 'HOLDS', cell: (node) => figures(node.entries) || '-', shrinks: true, spare: 3 },
  { title: 'DRIFT', cell: (node) => String(node.drift) },
  { title: 'LAST ERROR', cell: (node) => node.lastError || '-', shrinks: true },
];

const summaryStyle = (report: StatusReport): Style => {
  if (!report.nodes.some(({ state }) => state === 'connected')) return 'red';
  return report.mode === 'shadow' || report.nodes.some(({ state }) => state !== 'connected') ? 'yellow' : 'green';
};

const lines = (report: StatusReport, now: number): string[] => {
  const { counts } = report;
  const mode = report.mode === 'shadow' ? 'shadow mode: decides and records, enforces nothing' : 'enforcing';
  return [
    paint(summaryStyle(report), shown(report.summary)),
    `companion ${shown(report.version)}, ${mode}, up ${formatDuration(now - report.startedAt)}`,
    '',
    ...(report.nodes.length === 0 ? ['No SIP server is configured.'] : table(report.nodes, NODES, terminalWidth())),
    '',
    `Banned ${counts.bans}, quarantined ${counts.quarantined}, throttled ${counts.throttled}, known good ${counts.good}; allow list ${counts.allow}, deny list ${counts.deny}; sources watched ${counts.trackedSources}`,
    `Requests judged ${report.requests}, outcomes heard ${report.outcomes}`,
    `Dropped: ${shown(figures(report.drops)) || 'nothing'}`,
    ...(report.alarms ?? []).map((alarm) => paint('yellow', `! ${shown(alarm)}`)),
    ...(report.database === undefined ? [] : [paint('red', shown(report.database))]),
  ];
};

export interface StatusOptions extends CommonOptions {
  readonly all?: true | undefined;
  readonly allow?: true | undefined;
  readonly deny?: true | undefined;
  readonly dynamic?: true | undefined;
}

interface ListCount {
  readonly list: 'Allow' | 'Deny' | 'Dynamic (permanent)' | 'Dynamic (temporary)';
  readonly addresses: number;
}

const LISTS: readonly Column<ListCount>[] = [
  { title: 'LIST', cell: ({ list }) => list },
  { title: 'NUM OF IPS', cell: ({ addresses }) => String(addresses) },
];

/** The table of sipPROT: how many entries each list holds. */
const listCounts = async (options: StatusOptions): Promise<ListCount[]> => {
  const { all, allow, deny, dynamic } = options;
  const { counts } = await ask(options, (client) => client.call<StatusReport>('status', {}));
  const rows: ListCount[] = [];
  if (all || allow) rows.push({ list: 'Allow', addresses: counts.allow });
  if (all || deny) rows.push({ list: 'Deny', addresses: counts.deny });
  if (all || dynamic) {
    const held = await ask(options, (client) => client.list<BanRow>('ban.list'));
    const bans = held.filter(({ kind }) => kind === 'ban');
    const permanent = bans.filter(({ until }) => until === null).length;
    rows.push({ list: 'Dynamic (permanent)', addresses: permanent });
    rows.push({ list: 'Dynamic (temporary)', addresses: bans.length - permanent });
  }
  return rows;
};

/** `companion status`; with `--all`, `--allow`, `--deny`, `--dynamic` only the size of these lists. */
export const status = async (options: StatusOptions): Promise<number> => {
  if (options.all || options.allow || options.deny || options.dynamic) {
    const counts = await listCounts(options);
    if (options.json) printJson(Object.fromEntries(counts.map(({ list, addresses }) => [list, addresses])));
    else printLines(table(counts, LISTS, terminalWidth()));
    return EXIT.ok;
  }
  const report = await ask(options, (client) => client.call<StatusReport>('status', {}));
  if (options.json) printJson(report);
  else printLines(lines(report, Date.now()));
  return EXIT.ok;
};
