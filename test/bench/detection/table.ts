import { ATTACKS } from './attacks.ts';
import { CUSTOMERS } from './customers.ts';
import { play, replayed } from './scenario.ts';
import type { Result } from './scenario.ts';
import { playTimelines } from './timelines.ts';

/** The labelled corpus: captured timelines, and what is made up for what no capture has. */
export const detectionTable = function* (): Generator<Result> {
  yield* playTimelines();
  for (const scenario of [...CUSTOMERS, ...ATTACKS]) yield { ...play(scenario), replayed: replayed(scenario) };
};

const count = (value: number | null): string => (value === null ? '-' : String(value));

/** Of the same traffic as a capture without companion. */
const replayedAs = ({ replayed: seen, attackers }: Result): string => {
  if (seen === undefined) return '-';
  const customers = `${seen.customers} customer${seen.customers === 1 ? '' : 's'}`;
  return attackers === 0 ? customers : `${seen.flagged} attacker${seen.flagged === 1 ? '' : 's'}, ${customers}`;
};

/** The table in Markdown, so that it can be pasted into the README. */
export const markdownOf = (results: readonly Result[]): string => {
  const head = [
    'traffic',
    'messages',
    'attackers flagged',
    'after messages (median, worst)',
    'customers',
    'their addresses held',
    'harmed',
    'flagged by a replay',
  ];
  const rows = results.map((one) => [
    one.name,
    String(one.messages),
    one.attackers === 0 ? '-' : `${one.flagged} / ${one.attackers}${one.open === undefined ? '' : ' (open)'}`,
    one.flagged === 0 ? '-' : `${count(one.median)}, ${count(one.worst)}`,
    one.customers === 0 ? '-' : String(one.customers),
    one.customers === 0 ? '-' : String(one.held),
    one.customers === 0 ? '-' : String(one.harmed),
    replayedAs(one),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [lineOf(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(lineOf)].join('\n');
};
