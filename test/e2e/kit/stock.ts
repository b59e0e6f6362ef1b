import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusReport } from '../../../src/model/index.ts';
import { logOf, operate } from './companion.ts';
import { reconfigure } from './reconfigure.ts';
import { openTestbed } from './testbed.ts';
import type { Testbed, TestbedOptions } from './testbed.ts';

/** The configuration as Debian ships it. */
const STOCK = '/etc/kamailio/kamailio.cfg';
export const KAMAILIO_FOLDER = join(import.meta.dirname, '../../../kamailio');

/**
 * Debian's kamailio.cfg, changed by nothing but the diff in kamailio/README.md.
 * @throws Error when the diff does not apply
 */
export const stockPatched = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'companion-stock-'));
  try {
    const readme = readFileSync(join(KAMAILIO_FOLDER, 'README.md'), 'utf8');
    const diff = /```diff\n([\s\S]*?)\n```/.exec(readme)?.[1] ?? '';
    copyFileSync(STOCK, join(directory, 'kamailio.cfg'));
    writeFileSync(join(directory, 'stock.diff'), `${diff}\n`);
    execFileSync('git', ['apply', '--whitespace=nowarn', 'stock.diff'], {
      cwd: directory,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
    });
    return readFileSync(join(directory, 'kamailio.cfg'), 'utf8');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** The two places of the patched file that name files of the machine. */
export const withFiles = (text: string, secrets: string): string =>
  text
    .replace('"/etc/kamailio/companion-secret.cfg"', `"${secrets}"`)
    .replace('"/etc/kamailio/companion.cfg"', `"${join(KAMAILIO_FOLDER, 'companion.cfg')}"`);

export interface StockOptions extends TestbedOptions {
  /** `WITH_AUTH` … */
  readonly defines: readonly string[];
  /** Rows of the table that allow_source_address() reads: `[group, address, mask]`. */
  readonly trusted?: readonly (readonly [group: number, address: string, mask: number])[];
}

/** Stock authentication reads plain passwords; stock IPAUTH reads the tables of permissions. */
const fillDatabase = (file: string, { users, trusted = [] }: StockOptions): void => {
  const database = new Database(file, { timeout: 5_000 });
  try {
    database.exec(readFileSync('/usr/share/kamailio/db_sqlite/permissions-create.sql', 'utf8'));
    const setPassword = database.prepare('UPDATE subscriber SET password = ? WHERE username = ?');
    for (const [name, password] of Object.entries(users)) setPassword.run(password, name);
    const trust = database.prepare('INSERT INTO address (grp, ip_addr, mask) VALUES (?, ?, ?)');
    for (const row of trusted) trust.run(...row);
  } finally {
    database.close();
  }
};

/** A testbed whose Kamailio runs Debian's own configuration instead of our example. */
export const openStockBed = async (options: StockOptions): Promise<Testbed> => {
  const bed = await openTestbed(options);
  try {
    const { directory } = bed.lab;
    const database = join(directory, 'kamailio.sqlite');
    fillDatabase(database, options);
    const stock = join(directory, 'stock.cfg');
    writeFileSync(stock, withFiles(stockPatched(), join(directory, 'state/kamailio-secret.cfg')));
    const own = [
      ...options.defines.map((name) => `#!define ${name}`),
      `#!define DBURL "sqlite:///${database}"`,
      `listen=udp:${options.sip}`,
      `listen=tcp:${options.sip}`,
      `alias=${bed.domain}`,
      'auto_aliases=no',
      'loadmodule "db_sqlite.so"',
      `include_file "${stock}"`,
    ];
    await reconfigure(bed.lab, (text) => `${text.slice(0, text.indexOf('include_file'))}${own.join('\n')}\n`);
    return bed;
  } catch (error) {
    const log = logOf(bed.lab, 'kamailio').slice(-4_000);
    const status = await operate<StatusReport>(bed.lab, 'status').catch(() => undefined);
    await bed.stop();
    throw new Error(`Debian's configuration did not start: ${JSON.stringify(status?.nodes)}\n${log}`, { cause: error });
  }
};
