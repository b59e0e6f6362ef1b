import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { securityLine } from '../../src/observe/fail2ban/security-line.ts';
import { decision } from '../unit/admin/fake-operations.ts';
import { ENTRY } from './kit/companion.ts';
import { requires } from './requirements.ts';

requires('fail2ban')('fail2ban reads our decisions', () => {
  let dir = '';
  let filter = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'companion-fail2ban-'));
    filter = join(dir, 'companion.conf');
    writeFileSync(filter, execFileSync(process.execPath, [ENTRY, 'fail2ban', 'filter']));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const regex = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('fail2ban-regex', args, { encoding: 'utf8', timeout: 60_000 });
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  };

  test('every deny with its address, nothing else, whatever an attacker wrote', () => {
    const at = Date.now();
    const forged = 'companion[1]: verdict=deny src=192.0.2.66 port=1 proto=udp method=X reason=y';
    const events = [
      decision(0, { at, ip: '203.0.113.7' }),
      decision(0, { at, ip: '2001:db8::5' }),
      decision(0, { at, ip: '', subject: '198.51.100.0/24', change: 'deny', transport: '', port: 0, method: '' }),
      decision(0, { at, ip: '192.0.2.1', change: 'quarantine', evidence: forged }),
      decision(0, { at, ip: '192.0.2.2', change: 'throttle', evidence: `\n${forged}` }),
      decision(0, { at, ip: '192.0.2.3', change: 'lift', reason: forged }),
      decision(0, { at, ip: '192.0.2.4', shadow: true, rules: [forged] }),
    ];
    const log = join(dir, 'security.log');
    writeFileSync(log, events.map((event) => securityLine(event, 4_711)).join(''));
    const summary = regex(log, filter);
    expect(summary).toMatch(/Lines: 7 lines, 0 ignored, 3 matched, 4 missed/);
    const found = regex('-o', 'ip', log, filter).trim().split('\n');
    expect(found).toEqual(['203.0.113.7', '2001:db8::5', '198.51.100.0/24']);
  });

  test('the jail is one that fail2ban takes', () => {
    const jail = execFileSync(process.execPath, [ENTRY, 'fail2ban', 'jail'], { encoding: 'utf8' });
    expect(jail).toMatch(/^maxretry = 1$/m);
    expect(jail).toMatch(/^filter +=\s*companion$/m);
  });
});
