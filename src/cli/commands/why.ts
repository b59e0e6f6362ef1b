import { CompanionError, ENOUGH_POINTS, canonicalIp, escapeText } from '../../model/index.ts';
import type {
  BanRow,
  Evidence,
  ListRow,
  PhoneSeen,
  ShapeSeen,
  UsedBy,
  UsedReport,
  WhyReport,
} from '../../model/index.ts';
import { ask } from '../ask.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { printJson, printLines } from '../output/print.ts';
import { placeText } from '../output/place.ts';
import { table } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { formatLeft, formatTime, paint, shown, terminalWidth } from '../output/text.ts';
import type { Style } from '../output/text.ts';

/** What a line of a sample has at most. */
const MAX_MESSAGE_LINE = 500;

const STATE_STYLE: Readonly<Record<WhyReport['state'], Style>> = {
  allowed: 'cyan',
  good: 'green',
  denied: 'red',
  banned: 'red',
  quarantined: 'yellow',
  throttled: 'yellow',
  stranger: 'bold',
};

const EVIDENCE: readonly Column<Evidence>[] = [
  { title: 'TIME', cell: (line) => formatTime(line.at), spare: 2 },
  { title: 'RULE', cell: (line) => line.rule },
  { title: 'PROOF', cell: (line) => line.tier, style: (line) => (line.tier === 'proven' ? 'red' : 'yellow') },
  { title: 'POINTS', cell: (line) => String(line.points), spare: 1 },
  { title: 'WHAT WAS SEEN', cell: (line) => line.text, shrinks: true },
];

const USERS: readonly Column<WhyReport['users'][number]>[] = [
  { title: 'USER', cell: ({ user }) => user, shrinks: true },
  { title: 'AUTHENTICATED', cell: ({ ok }) => String(ok) },
  { title: 'FAILED', cell: ({ failed }) => String(failed) },
];

const phones = (now: number): readonly Column<PhoneSeen>[] => [
  { title: 'USER', cell: ({ user }) => user, shrinks: true },
  { title: 'FROM', cell: ({ ip, port }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port}` },
  { title: 'SINCE', cell: ({ since }) => formatTime(since) },
  { title: 'ENDS', cell: ({ until }) => formatLeft(until, now) },
];

const lists = (now: number): readonly Column<ListRow>[] => [
  { title: 'LIST', cell: (row) => row.list },
  { title: 'ADDRESS', cell: (row) => row.subject },
  { title: 'ENDS', cell: (row) => formatLeft(row.until, now) },
  { title: 'BY', cell: (row) => row.author, shrinks: true, spare: 1 },
  { title: 'NOTE', cell: (row) => row.note, shrinks: true },
];

const SHAPES: readonly Column<ShapeSeen>[] = [
  { title: 'LAST SEEN', cell: ({ at }) => formatTime(at) },
  { title: 'SHAPE', cell: ({ id }) => id },
  { title: 'METHOD', cell: ({ method }) => method },
  { title: 'TOOL', cell: ({ tool, entry }) => (tool === '' ? '-' : `${tool} (${entry})`), shrinks: true },
];

const HISTORY: readonly Column<BanRow>[] = [
  { title: 'SINCE', cell: (row) => formatTime(row.since) },
  { title: 'UNTIL', cell: (row) => (row.until === null ? 'permanent' : formatTime(row.until)) },
  { title: 'LEVEL', cell: (row) => String(row.level), spare: 1 },
  { title: 'BY', cell: (row) => row.origin, spare: 2 },
  { title: 'REASON', cell: (row) => row.reason, shrinks: true },
];

/** A titled, indented table; nothing at all without rows. */
const section = <R>(title: string, rows: readonly R[], columns: readonly Column<R>[]): string[] =>
  rows.length === 0
    ? []
    : ['', paint('bold', title), ...table(rows, columns, terminalWidth() - 2).map((line) => `  ${line}`)];

const FALSE_ALARM: Readonly<Record<NonNullable<WhyReport['falseAlarm']>['how'], string>> = {
  'registered-before': 'customers registered there before the evidence',
  'registered-since': 'a customer registered there after the decision',
};

const PROOF: Readonly<Record<WhyReport['proof'], string>> = {
  proven: 'Proof: proven, the sender cannot have forged its address.',
  spoofable: 'Proof: spoofable, the address may be forged: it is never banned on this.',
  none: '',
};

/** Redacted where it was received; attacker's text all the same. */
const message = (sample: WhyReport['sample']): string[] =>
  sample === undefined
    ? []
    : [
        '',
        paint(
          'bold',
          sample.decided ? 'The message that decided, without its secrets' : 'A message of it, without its secrets',
        ),
        paint('dim', `  ${formatTime(sample.at)} at ${shown(sample.node)}`),
        ...sample.text
          .split('\n')
          .map((line) => `  ${escapeText(line, MAX_MESSAGE_LINE).replaceAll(String.raw`\x22`, '"')}`),
      ];

/** The ban that stands is among them. */
const bansTitle = ({ state, since, history }: WhyReport): string =>
  state === 'banned' && history.some((row) => row.since === since)
    ? 'Earlier bans and the one that stands, newest first'
    : 'Earlier bans, newest first';

const story = (report: WhyReport, now: number): string[] => {
  const identity = report.identity === report.ip ? '' : ` (judged as ${shown(report.identity)})`;
  const since =
    report.since === null
      ? ''
      : `Since ${formatTime(report.since)} (${formatLeft(now, report.since).replace(' left', ' ago')})`;
  const until =
    report.since === null
      ? ''
      : report.until === null
        ? ', without end'
        : `, until ${formatTime(report.until)} (${formatLeft(report.until, now)})`;
  const { proven, spoofable } = report.score;
  return [
    `${shown(report.ip)}${identity} is ${paint(STATE_STYLE[report.state] ?? 'bold', shown(report.state))}${report.reason === '' ? '.' : `: ${shown(report.reason)}`}`,
    ...(placeText(report.place) === '' ? [] : [`It is in ${shown(placeText(report.place))}.`]),
    ...(report.shadow === true ? [paint('yellow', 'Shadow mode: this is decided and recorded, not enforced.')] : []),
    ...(since === '' ? [] : [`${since}${until}.`]),
    `Score now: ${Math.round(proven)} proven, ${Math.round(spoofable)} spoofable (${ENOUGH_POINTS} is enough; only proven evidence bans).`,
    ...(PROOF[report.proof] === '' ? [] : [PROOF[report.proof]]),
    ...(report.falseAlarm === undefined
      ? []
      : [
          paint(
            'yellow',
            `Suspected false alarm: ${FALSE_ALARM[report.falseAlarm.how]} (${report.falseAlarm.rules.map(shown).join(' ')}); its evidence weighs less until ${formatTime(report.falseAlarm.until)}.`,
          ),
        ]),
    ...section('Evidence, oldest first', report.evidence, EVIDENCE),
    ...message(report.sample),
    ...section('Users at this address', report.users, USERS),
    ...section('Known-good phones there', report.phones ?? [], phones(now)),
    ...section('How its messages are built', report.shapes, SHAPES),
    ...section('Lists that cover it', report.lists, lists(now)),
    ...(report.listed.length === 0
      ? []
      : ['', paint('bold', 'What names it'), ...report.listed.map((line) => `  ${shown(line)}`)]),
    ...section(bansTitle(report), report.history, HISTORY),
    ...(report.rehearsed.length === 0
      ? []
      : [
          '',
          paint('bold', 'What rules in shadow would do (not enforced)'),
          ...report.rehearsed.map((line) => `  ${shown(line)}`),
        ]),
    '',
    paint('bold', 'What is enforced'),
    ...(report.enforced.length === 0
      ? ['  no SIP server is connected']
      : report.enforced.flatMap(({ enforcer, holds }) =>
          (holds.length === 0 ? ['nothing'] : holds).map((held) => `  ${shown(enforcer)}: ${shown(held)}`),
        )),
    ...(report.undo.length === 0
      ? []
      : ['', paint('bold', 'To undo it'), ...report.undo.map((command) => `  ${shown(command)}`)]),
  ];
};

const USED: readonly Column<UsedBy>[] = [
  { title: 'ADDRESS', cell: ({ ip }) => ip },
  { title: 'AS', cell: ({ as }) => as },
  { title: 'FIRST', cell: ({ first }) => formatTime(first) },
  { title: 'LAST', cell: ({ last }) => formatTime(last) },
  { title: 'EVENTS', cell: ({ events }) => String(events) },
];

/** Sources whose whole story is told when a Call-ID or user name was asked for. */
const MAX_STORIES = 3;

const isAddress = (text: string): boolean => canonicalIp(text.split('/', 1)[0] ?? '') !== undefined;

/** Digits, dots and colons may be a Call-ID or a number: they are looked up first, and only then said to be no address. */
const MEANT_AS_ADDRESS = /^(?=.*[.:])[\da-f.:]+(?:\/\d+)?$/i;

const usedBy = async (client: Client, text: string): Promise<UsedReport> => {
  try {
    return await client.call<UsedReport>('used', { text });
  } catch (error) {
    if (!(error instanceof CompanionError) || error.code !== 'NOT_FOUND' || !MEANT_AS_ADDRESS.test(text)) throw error;
    await client.call<WhyReport>('why', { ip: text });
    throw error;
  }
};

/** `companion why IP|CALL-ID|USER`: what companion thinks of an address, or of those that used the name, and why. */
export const why = async (what: string, options: CommonOptions): Promise<number> => {
  if (isAddress(what)) {
    const report = await ask(options, (client) => client.call<WhyReport>('why', { ip: what }));
    if (options.json) printJson(report);
    else printLines(story(report, Date.now()));
    return EXIT.ok;
  }
  const found = await ask(options, async (client) => {
    const used = await usedBy(client, what);
    const ips = [...new Set(used.by.map(({ ip }) => ip))];
    const reports: WhyReport[] = [];
    for (const ip of ips.slice(0, MAX_STORIES)) reports.push(await client.call<WhyReport>('why', { ip }));
    return { used, reports, more: Math.max(0, ips.length - MAX_STORIES) };
  });
  if (options.json) printJson({ ...found.used, reports: found.reports });
  else
    printLines([
      `${shown(what)} was used by`,
      ...table(found.used.by, USED, terminalWidth() - 2).map((line) => `  ${line}`),
      ...found.reports.flatMap((report) => ['', ...story(report, Date.now())]),
      ...(found.more > 0 ? ['', `… and ${found.more} more: companion why IP tells of each`] : []),
    ]);
  return EXIT.ok;
};
