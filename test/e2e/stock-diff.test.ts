import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stockPatched, withFiles } from './kit/stock.ts';
import { requires } from './requirements.ts';

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)("the README's diff of Debian's kamailio.cfg", () => {
  const directory = mkdtempSync(join(tmpdir(), 'companion-stock-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('applies to the file as Debian ships it', () => {
    expect(stockPatched()).toContain('route[COMPANION_CONTINUE]');
  });

  test.each([
    { options: [] },
    { options: ['WITH_AUTH', 'WITH_USRLOCDB'] },
    { options: ['WITH_IPAUTH'] },
    { options: ['WITH_AUTH', 'WITH_IPAUTH', 'WITH_USRLOCDB', 'WITH_ANTIFLOOD', 'WITH_NAT'] },
    { options: ['WITH_AUTH', 'WITH_ANTIFLOOD', 'WITH_JSONRPC', 'WITH_ALIASDB', 'WITH_SPEEDDIAL'] },
  ])('Kamailio accepts the result with $options', ({ options }) => {
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
    writeFileSync(join(directory, 'run.cfg'), withFiles(stockPatched(), 'secret.cfg'));
    const check = spawnSync('kamailio', ['-c', '-f', join(directory, 'run.cfg')], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const complaints = check.stderr.split('\n').filter((line) => /ERROR|CRITICAL/.test(line));
    expect(complaints).toEqual([]);
    expect(check.status).toBe(0);
  });
});
