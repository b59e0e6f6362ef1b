/** Follows the deny list file that its argument names, as the service does, and says what that cost. Run with --expose-gc. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createListsKeeper } from '../../../src/feeds/index.ts';
import { AddressLists } from '../../../src/operate/index.ts';
import { quantile } from '../../e2e/kit/figures.ts';
import { askedAddresses } from './deny-lines.ts';

const file = process.argv[2] ?? '';
const LOOKUPS = 1_000_000;
const ROUNDS = 5;

const resident = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss;
};
const lists = new AddressLists();
const problems: string[] = [];
const keeper = createListsKeeper({
  resolver: { addresses: () => Promise.resolve({ ips: [], ttlMs: 1e9 }), services: () => Promise.resolve([]) },
  clock: { now: () => Date.now() },
  apply: () => undefined,
  denyTable: (author, table, note) => {
    if (table !== undefined) lists.putTable({ author, table, note, since: 0 });
  },
  authors: () => [],
  alarm: (_, problem) => void (problem !== undefined && problems.push(problem)),
});
const asked = askedAddresses();
const before = resident();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const began = performance.now();
await keeper.keep({ lists: [{ file, kind: 'deny', note: '' }], names: [] });
const loadMs = performance.now() - began;
delay.disable();
const peak = process.resourceUsage().maxRSS * 1_024;
if (problems.length > 0) throw new Error(problems.join());

let denied = 0;
const rounds = Array.from({ length: ROUNDS }, () => {
  const start = performance.now();
  for (let n = 0; n < LOOKUPS; n += 1) if (lists.verdict(asked[n & 0xffff]!) === 'deny') denied += 1;
  return ((performance.now() - start) * 1e6) / LOOKUPS;
});
keeper.stop();
process.stdout.write(
  `${JSON.stringify({
    size: keeper.stats()['table_entries'],
    loadMs,
    stallMs: delay.max / 1e6,
    lookup: quantile(rounds, 0.5),
    share: denied / (LOOKUPS * ROUNDS),
    before,
    peak,
    after: resident(),
  })}\n`,
);
