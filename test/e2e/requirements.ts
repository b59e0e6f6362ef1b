import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const command = (name: string) => (): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS].some((folder) => isExecutable(join(folder, name)));

const kamailioModule = (name: string) => (): boolean => {
  const folders = readdirSync('/usr/lib', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ['/usr/lib', '/usr/lib64', ...folders.map((entry) => join('/usr/lib', entry.name))].some((folder) =>
    existsSync(join(folder, 'kamailio', 'modules', `${name}.so`)),
  );
};

/** Whether this process may give lo an IPv6 address; tries it with one that nobody uses. */
const mayAddAddress = (): boolean => {
  const address = 'fd00:81:ffff:ffff::1/128';
  const ip = (verb: string): boolean =>
    spawnSync('ip', ['-6', 'addr', verb, address, 'dev', 'lo'], { stdio: 'ignore' }).status === 0;
  return ip('add') && ip('del');
};

/** What an end-to-end test may need of the machine, and how to see whether it is there. */
const REQUIREMENTS = {
  kamailio: command('kamailio'),
  'kamailio-extra-modules': kamailioModule('evapi'),
  'kamailio-utils-modules': kamailioModule('http_client'),
  'kamailio-sqlite-modules': kamailioModule('db_sqlite'),
  sipp: command('sipp'),
  sipvicious: command('svwar'),
  sqlite3: command('sqlite3'),
  ip: command('ip'),
  unshare: command('unshare'),
  baresip: command('baresip'),
  fail2ban: command('fail2ban-regex'),
  root: () => process.getuid?.() === 0,
  'permission to add IPv6 addresses to lo': mayAddAddress,
} as const satisfies Record<string, () => boolean>;

export type Requirement = keyof typeof REQUIREMENTS;

/**
 * A `describe` for tests that need tools of the machine: `requires('kamailio', 'sipp')('a scanner', () => …)`.
 * Without them the tests are skipped by name, and `npm test` says which and how to enable them. With CI=true nothing
 * is skipped: what is missing fails.
 */
export const requires = (...needed: readonly Requirement[]): ((name: string, body: () => void) => void) => {
  const missing = needed.filter((requirement) => !REQUIREMENTS[requirement]());
  if (missing.length === 0) return (name, body) => describe(name, body);
  const names = missing.join(', ');
  if (process.env.CI !== 'true') return (name, body) => describe.skip(`${name} [needs ${names}]`, body);
  return (name) =>
    describe(name, () => {
      test(`has ${names}`, () => {
        throw new Error(`This machine lacks ${names}. Run \`npm run setup\` as root.`);
      });
    });
};
