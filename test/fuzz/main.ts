/**
 * `npm run fuzz [-- SECONDS [SEED]]`: mutations of every message of the data set, 10 minutes unless told. What breaks is
 * printed with its seed and its bytes, and the exit code is 1. Ends by itself.
 */
import { fuzz } from './fuzz.ts';

const DEFAULT_SECONDS = 600;

const [seconds = DEFAULT_SECONDS, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('fuzz: usage: npm run fuzz -- [SECONDS [SEED]]\n');
  process.exit(2);
}
process.stdout.write(`fuzz: ${seconds} s, seed ${seed}\n`);
const { messages, slowestMs, failure } = fuzz({ forMs: seconds * 1_000, seed });
process.stdout.write(`fuzz: ${messages} messages, the slowest took ${slowestMs.toFixed(1)} ms\n`);
if (failure !== undefined) {
  process.stdout.write(`fuzz: FAILED: ${failure.why}\n  bytes (base64): ${failure.bytes.toString('base64')}\n`);
  process.exit(1);
}
