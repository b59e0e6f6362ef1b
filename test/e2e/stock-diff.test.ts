import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { requires } from './requirements.ts';

const STOCK = '/etc/kamailio/kamailio.cfg';
const here = import.meta.dirname;
const kamailioFolder = join(here, '../../kamailio');

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)("the README's diff of Debian's kamailio.cfg", () => {
  const directory = mkdtempSync(join(tmpdir(), 'companion-stock-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const diff = /```diff\n([\s\S]*?)\n```/.exec(readFileSync(join(kamailioFolder, 'README.md'), 'utf8'))?.[1] ?? '';
  copyFileSync(STOCK, join(directory, 'kamailio.cfg'));
  writeFileSync(join(directory, 'stock.diff'), `${diff}\n`);

  test('applies to the file as Debian ships it', () => {
    execFileSync('git', ['apply', '--whitespace=nowarn', 'stock.diff'], {
      cwd: directory,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
    });
    expect(readFileSync(join(directory, 'kamailio.cfg'), 'utf8')).toContain('route[COMPANION_CONTINUE]');
  });

  test.each([
    { options: [] },
    { options: ['WITH_AUTH', 'WITH_USRLOCDB'] },
    { options: ['WITH_AUTH', 'WITH_IPAUTH', 'WITH_USRLOCDB', 'WITH_ANTIFLOOD', 'WITH_NAT'] },
    { options: ['WITH_AUTH', 'WITH_ANTIFLOOD', 'WITH_JSONRPC', 'WITH_ALIASDB', 'WITH_SPEEDDIAL'] },
  ])('Kamailio accepts the result with $options', ({ options }) => {
    const config = readFileSync(join(directory, 'kamailio.cfg'), 'utf8')
      .replace('"/etc/kamailio/companion-secret.cfg"', '"secret.cfg"')
      .replace('"/etc/kamailio/companion.cfg"', `"${join(kamailioFolder, 'companion.cfg')}"`);
    writeFileSync(
      join(directory, 'secret.cfg'),
      '#!define COMPANION_SECRET_UP up\n#!define COMPANION_SECRET_DOWN down\n',
    );
    writeFileSync(
      join(directory, 'kamailio-local.cfg'),
      [
        ...options.map((name) => `#!define ${name}`),
        `#!define DBURL "sqlite:///${join(directory, 'none.sqlite')}"`,
        'listen=udp:127.0.0.1:5060',
        'loadmodule "db_sqlite.so"',
        '',
      ].join('\n'),
    );
    writeFileSync(join(directory, 'run.cfg'), config);
    const check = spawnSync('kamailio', ['-c', '-f', join(directory, 'run.cfg')], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const complaints = check.stderr.split('\n').filter((line) => /ERROR|CRITICAL/.test(line));
    expect(complaints).toEqual([]);
    expect(check.status).toBe(0);
  });
});
