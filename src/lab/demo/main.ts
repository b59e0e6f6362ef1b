/** `npm run demo`: ends by itself within a minute; exit code 0 when it went as it should. */
import { LabError } from '../problem.ts';
import { runDemo } from './index.ts';

const DEADLINE_MS = 55_000;

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
  });
}
// whoever listens may leave
process.stdout.on('error', () => {
  stopping.abort();
});
const late = setTimeout(() => {
  process.stderr.write(`demo: not done after ${DEADLINE_MS / 1_000} s, stopping\n`);
  stopping.abort();
}, DEADLINE_MS);

try {
  process.exitCode = (await runDemo(stopping.signal)) ? 0 : 1;
} catch (error) {
  process.exitCode = 1;
  if (!stopping.signal.aborted) {
    process.stderr.write(
      `demo: ${error instanceof LabError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
  }
} finally {
  clearTimeout(late);
}
process.exit();
