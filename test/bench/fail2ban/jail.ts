import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../e2e/kit/companion.ts';
import { startProgram } from '../server/server.ts';

export type Backend = 'polling' | 'pyinotify';

/** What the jail counts: a request that was not authenticated. */
export const LOG_LINE = 'auth failed for $tU from $si';

/** Debian's defaults. */
const MAX_RETRY = 5;

export interface JailOptions {
  readonly backend: Backend;
  /** Kamailio's log. */
  readonly log: string;
  /** Command that bans `<ip>`. */
  readonly ban: string;
}

const filesOf = (folder: string, { backend, log, ban }: JailOptions): Readonly<Record<string, string>> => ({
  'fail2ban.conf': [
    '[Definition]',
    'loglevel = INFO',
    `logtarget = ${join(folder, 'fail2ban.log')}`,
    'syslogsocket = auto',
    `socket = ${join(folder, 'fail2ban.sock')}`,
    `pidfile = ${join(folder, 'fail2ban.pid')}`,
    'dbfile = None',
    'dbmaxmatches = 10',
    'dbpurgeage = 1d',
    'allowipv6 = auto',
  ].join('\n'),
  'filter.d/kamailio.conf': '[Definition]\nfailregex = auth failed for \\S* from <HOST>$\ndatepattern = {NONE}\n',
  'action.d/htable.conf': `[Definition]\nactionstart =\nactionstop =\nactioncheck =\nactionban = ${ban}\nactionunban =\n`,
  // everything here comes from loopback, which fail2ban would take for itself
  'jail.conf': [
    '[kamailio]',
    'enabled = true',
    'filter = kamailio',
    'action = htable',
    `logpath = ${log}`,
    `backend = ${backend}`,
    `maxretry = ${MAX_RETRY}`,
    'findtime = 600',
    'bantime = 3600',
    'usedns = no',
    'ignoreself = false',
    'ignoreip =',
  ].join('\n'),
});

/** A fail2ban of its own with one jail; touches nothing of the machine's. @returns what ends it */
export const startJail = async (options: JailOptions): Promise<() => Promise<void>> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-fail2ban-'));
  for (const name of ['filter.d', 'action.d']) mkdirSync(join(folder, name));
  for (const [name, text] of Object.entries(filesOf(folder, options))) writeFileSync(join(folder, name), `${text}\n`);
  const output = join(folder, 'output.log');
  const program = startProgram(
    'fail2ban-server',
    ['-f', '-x', '-c', folder, '-s', join(folder, 'fail2ban.sock'), '-p', join(folder, 'fail2ban.pid'), 'start'],
    output,
  );
  const stop = async (): Promise<void> => {
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const log = join(folder, 'fail2ban.log');
  try {
    await until(
      'the jail has started',
      () => existsSync(log) && /Jail 'kamailio' started/.test(readFileSync(log, 'utf8')),
      15_000,
    );
  } catch (error) {
    const said = [output, log].filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8').slice(-800));
    await stop();
    throw new Error(`fail2ban did not start: ${said.join(' ')}`, { cause: error });
  }
  return stop;
};
