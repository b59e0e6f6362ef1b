/**
 * `npm run bench`: one table of what companion can do here and now, each figure beside a peer of the same run. With
 * `--json` as JSON; with names (pieces sip hostile decisions memory lists replay hook bans) only those. Ends by itself.
 */
import { measureDecisions } from './process/decisions.ts';
import { measureLists } from './process/lists.ts';
import { measureMemory } from './process/memory.ts';
import { measureHostile } from './process/hostile.ts';
import { measurePieces } from './process/pieces.ts';
import { measureSip } from './process/sip.ts';
import { measureReplay } from './replay/replay.ts';
import { tableOf } from './report.ts';
import type { Row } from './report.ts';
import { measureBans } from './server/bans.ts';
import { measureHook } from './server/hook.ts';

const BENCHMARKS: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  pieces: measurePieces,
  sip: measureSip,
  hostile: measureHostile,
  decisions: measureDecisions,
  memory: measureMemory,
  lists: measureLists,
  replay: measureReplay,
  hook: measureHook,
  bans: measureBans,
};

/** All of them take two to three minutes. */
const DEADLINE_MS = 8 * 60_000;

const words = process.argv.slice(2);
const json = words.includes('--json');
const names = words.filter((word) => word !== '--json');
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown.length > 0) {
  process.stderr.write(`bench: ${unknown.join(', ')}: unknown. There are: ${Object.keys(BENCHMARKS).join(', ')}.\n`);
  process.exit(2);
}
setTimeout(() => {
  process.stderr.write(`bench: not done within ${DEADLINE_MS / 60_000} minutes.\n`);
  process.exit(1);
}, DEADLINE_MS).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const rows: Row[] = [];
let failed = false;
for (const [name, measure] of Object.entries(BENCHMARKS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  try {
    rows.push(...(await measure()));
  } catch (error) {
    failed = true;
    process.stderr.write(`bench: ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.stdout.write(json ? `${JSON.stringify(rows, undefined, 2)}\n` : `${tableOf(rows)}\n`);
process.exit(failed ? 1 : 0);
