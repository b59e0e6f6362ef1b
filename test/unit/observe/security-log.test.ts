import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DecisionEvent } from '../../../src/model/index.ts';
import { createLog, openSecurityLog } from '../../../src/observe/index.ts';
import { securityLine } from '../../../src/observe/fail2ban/security-line.ts';
import { createSampler } from '../../../src/observe/sampler.ts';
import { HOSTILE, decision } from '../admin/fake-operations.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'companion-security-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const until = async (met: () => boolean): Promise<void> => {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the line', () => {
  test('source first, attacker last and escaped', () => {
    expect(securityLine(decision(0), 42)).toBe(
      '2026-11-20T08:00:00.000Z companion[42]: verdict=deny src=203.0.113.7 port=5060 proto=udp method=REGISTER reason=scan.distinct evidence="x\\x1b[2J\\x1b]0;owned\\x07\\x0d\\x0afake line\\x9b31m\\u202eevil\\x22\\x5c"\n',
    );
  });

  test.each([
    ['quarantine', {}, 'quarantine'],
    ['throttle-user', {}, 'throttle'],
    ['ban', { shadow: true }, 'would-deny'],
    ['lift', { ip: '' }, 'lift'],
  ] as const)('%s %o says %s: only what is proven or ordered says deny', (change, more, verdict) => {
    expect(securityLine(decision(0, { change, ...more }), 1)).toContain(`: verdict=${verdict} src=203.0.113.7 `);
  });

  test('no field of an attacker can make a second line or another source', () => {
    const evil: Partial<DecisionEvent> = {
      evidence: 'x"\n2026-11-20T08:00:00.000Z companion[1]: verdict=deny src=192.0.2.1 port=1',
      reason: HOSTILE,
      rules: [],
      method: 'A B\nverdict=deny',
      subject: '10.0.0.0/8 verdict=deny',
    };
    const text = securityLine(decision(0, { ...evil, change: 'quarantine', ip: '' }), 1);
    expect(text.trimEnd()).not.toContain('\n');
    expect(text).toMatch(/^\S+ companion\[1\]: verdict=quarantine src=10\.0\.0\.0\/8_verdict_deny /);
  });
});

describe('the file', () => {
  test('is added to, opened again after rotation, and known-good are none of its business', async () => {
    const file = join(dir, 'security.log');
    writeFileSync(file, 'before\n');
    const log = openSecurityLog(file, 1, createLog('silent'));
    log.take(decision(1, { change: 'good' }));
    log.take(decision(2));
    await until(() => lines(file).length === 2);
    expect(lines(file)[0]).toBe('before');
    renameSync(file, `${file}.1`);
    log.reopen();
    log.take(decision(3));
    await until(() => {
      try {
        return lines(file).length === 1;
      } catch {
        return false;
      }
    });
    log.close();
  });

  test('a folder that is not there is told at the start; one that goes away later hurts nobody', async () => {
    expect(() => openSecurityLog(join(dir, 'none', 'x.log'), 1, createLog('silent'))).toThrow(
      /Cannot write the file .*x.log \(log.security\): ENOENT/,
    );
    const told: object[] = [];
    const log = openSecurityLog(join(dir, 'x.log'), 1, {
      error: (fields: object) => told.push(fields),
    } as unknown as ReturnType<typeof createLog>);
    log.take(decision(0));
    await until(() => lines(join(dir, 'x.log')).length === 1);
    rmSync(dir, { recursive: true, force: true });
    log.reopen();
    await until(() => told.length > 0);
    for (let index = 0; index < 100; index += 1) log.take(decision(index));
    expect(told).toHaveLength(1);
    log.close();
  });
});

test('a rotation that failed leaves the old file in use; the next one closes it once', async () => {
  const told: object[] = [];
  const folder = join(dir, 'logs');
  mkdirSync(folder);
  const log = openSecurityLog(join(folder, 'x.log'), 1, {
    error: (fields: object) => told.push(fields),
  } as unknown as ReturnType<typeof createLog>);
  log.take(decision(0));
  await until(() => lines(join(folder, 'x.log')).length === 1);
  renameSync(folder, `${folder}.old`);
  log.reopen();
  expect(told).toEqual([expect.objectContaining({ problem: expect.stringContaining('ENOENT') })]);
  log.take(decision(1));
  await until(() => lines(join(`${folder}.old`, 'x.log')).length === 2);
  mkdirSync(folder);
  log.reopen();
  log.take(decision(2));
  await until(() => lines(join(folder, 'x.log')).length === 1);
  renameSync(join(folder, 'x.log'), join(folder, 'x.log.1'));
  log.reopen();
  log.take(decision(3));
  await until(() => existsSync(join(folder, 'x.log')) && lines(join(folder, 'x.log')).length === 1);
  expect([told.length, log.dropped]).toEqual([1, 0]);
  log.close();
});

test('sampling: so many in a minute, the rest counted and told', () => {
  let now = 0;
  const told: [string, number][] = [];
  const sampler = createSampler({ now: () => now }, 2, (key, suppressed) => told.push([key, suppressed]));
  expect([1, 2, 3, 4].map(() => sampler.due('a'))).toEqual([true, true, false, false]);
  expect(sampler.due('b')).toBe(true);
  sampler.flush();
  expect(told).toEqual([]);
  now = 60_000;
  sampler.flush();
  expect(told).toEqual([['a', 2]]);
  expect(sampler.due('a')).toBe(true);
  // bounded: the oldest is told and forgotten
  expect([sampler.due('a'), sampler.due('a')]).toEqual([true, false]);
  for (let index = 0; index < 2_100; index += 1) sampler.due(`k${index}`);
  expect(told.at(-1)).toEqual(['a', 1]);
});

test('sampling: the end does not wait for the minute', () => {
  const told: [string, number][] = [];
  const sampler = createSampler({ now: () => 0 }, 1, (key, suppressed) => told.push([key, suppressed]));
  for (const key of ['a', 'a', 'b', 'c', 'c', 'c']) sampler.due(key);
  sampler.finish();
  sampler.finish();
  expect(told).toEqual([
    ['a', 1],
    ['c', 2],
  ]);
});
