/**
 * `npm run lab`: one JSON line when everything runs, one for every restart, nothing else on standard output.
 * Ends at SIGTERM, Ctrl-C, or when the terminal goes away.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startLab } from './lab.ts';
import type { LabOptions } from './prepare/prepare.ts';
import { LabError } from './problem.ts';

const USAGE =
  'npm run lab -- --sip ADDRESS:PORT [--users NAME:PASSWORD,...] [--config FILE] [--mode shadow|enforce] [--domain NAME] [--transport datagram|evapi|http] [--keep]';

const readOptions = (args: readonly string[]): LabOptions => {
  const text = { type: 'string' } as const;
  const places = { sip: text, users: text, config: text, mode: text, domain: text, transport: text };
  let values: { [Name in keyof typeof places]?: string } & { keep?: boolean };
  try {
    ({ values } = parseArgs({ args: [...args], options: { ...places, keep: { type: 'boolean' } } }));
  } catch (error) {
    throw new LabError(`${error instanceof Error ? error.message : String(error)}. Usage: ${USAGE}`);
  }
  const { sip, mode, config, ...rest } = values;
  if (sip === undefined) throw new LabError(`--sip is missing. Usage: ${USAGE}`);
  if (mode !== undefined && mode !== 'shadow' && mode !== 'enforce')
    throw new LabError("--mode is 'shadow' or 'enforce'.");
  // npm changes into the package's directory; the operator's paths start where he stands
  return {
    sip,
    mode,
    config: config === undefined ? undefined : resolve(process.env['INIT_CWD'] ?? '.', config),
    ...rest,
  };
};

const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(signal, () => {
    stopping.abort();
  });
// whoever reads our events may leave
process.stdout.on('error', () => {
  stopping.abort();
});

try {
  const lab = await startLab({ ...readOptions(process.argv.slice(2)), signal: stopping.signal });
  lab.onRestart((restarted, pid) => {
    print({ restarted, pid });
  });
  stopping.signal.addEventListener('abort', () => {
    void lab.stop();
  });
  if (stopping.signal.aborted) void lab.stop();
  else print(lab.ready);
  await lab.ended;
} catch (error) {
  if (!stopping.signal.aborted) {
    process.stderr.write(
      `lab: ${error instanceof LabError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
process.exit();
