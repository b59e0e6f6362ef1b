/** Fills the tables with one request each of a million sources and says what that cost. Run with --expose-gc. */
import { createEngine } from './engine.ts';
import { messageOf } from './messages.ts';

const sources = Number(process.argv[2]);
const collect = (): NodeJS.MemoryUsage => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage();
};

const engine = createEngine(sources);
const before = collect();
const began = performance.now();
const start = Date.now();
let peak = 0;
// one REGISTER or INVITE of each, over five minutes: every table takes them (OPTIONS are no matter of density)
const KINDS = [0, 3];
for (let n = 0; n < sources; n += 1) {
  engine.decide(messageOf(n, sources, KINDS[n % 2]), start + Math.floor((n * 300_000) / sources));
  if (n % 50_000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
}
const seconds = (performance.now() - began) / 1_000;
const after = collect();
process.stdout.write(
  `${JSON.stringify({
    tables: engine.tables(),
    seconds,
    rssBefore: before.rss,
    heapBefore: before.heapUsed,
    heap: after.heapUsed,
    buffers: after.arrayBuffers,
    rss: after.rss,
    peak: Math.max(peak, after.rss),
  })}\n`,
);
