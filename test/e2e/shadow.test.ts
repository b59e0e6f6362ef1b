import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import type { BanRow, CheckReport, DecisionEvent, StatusReport } from '../../src/model/index.ts';
import { ENTRY, figure, listOf, logOf, operate, until } from './kit/companion.ts';
import { openDoor } from './kit/door.ts';
import { createUa } from './kit/ua.ts';
import type { Reply } from './kit/ua.ts';
import { requires } from './requirements.ts';

const SIP = '127.82.6.1:15060';
const HOST = '127.82.6.1';
const PROVEN = '127.82.60.1';
const SPOOFABLE = '127.82.60.2';
/** More than one address asks in before companion is bound to notice. */
const PROBES = 20;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('shadow mode', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ sip: SIP, users: 'alice:secret,bob:secret', mode: 'shadow' });
  });
  afterAll(async () => {
    await lab?.stop();
  });

  test('decides and records, and enforces nothing', async () => {
    const door = openDoor(lab);
    const watching = spawn(process.execPath, [ENTRY, 'watch', '--json', '--socket', lab.ready.socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let watched = '';
    watching.stdout.on('data', (chunk: Buffer) => (watched += chunk.toString()));
    await sleep(700);
    const alice = await createUa({ server: SIP, from: '127.82.61.1', user: 'alice' });
    const bob = await createUa({ server: SIP, from: '127.82.61.2', user: 'bob', transport: 'tcp' });
    const registered = [await alice.register(), await bob.register()];

    const scan = async (from: string, transport: 'udp' | 'tcp'): Promise<readonly Reply[]> => {
      const scanner = await createUa({ server: SIP, from, user: 'scanner', transport, deadlineMs: 2_000 });
      const replies: Reply[] = [];
      for (let n = 0; n < PROBES; n += 1)
        replies.push(
          await scanner.request({
            method: 'OPTIONS',
            uri: `sip:${100 + n}@${HOST}`,
            headers: ['User-Agent: friendly-scanner'],
          }),
        );
      scanner.close();
      return replies;
    };
    const scanned = [...(await scan(PROVEN, 'tcp')), ...(await scan(SPOOFABLE, 'udp'))];
    const call = await alice.call('bob');
    const again = [await alice.register(), await bob.register()];
    await until('both decided', async () => (await listOf<BanRow>(lab, 'ban.list')).length >= 2);
    await operate(lab, 'ban.add', { subject: '198.51.100.9', reason: 'by hand', author: 'test' });
    // a round of comparing, that would push
    await sleep(2_500);
    const rows = await listOf<BanRow>(lab, 'ban.list');
    const held = Object.fromEntries(
      await Promise.all(
        ['ipban', 'companion_state', 'companion_good'].map(async (table) => [table, (await door.keys(table)).size]),
      ),
    ) as Record<string, number>;
    const status = await operate<StatusReport>(lab, 'status');
    const check = await operate<CheckReport>(lab, 'check', { ip: PROVEN });
    watching.kill('SIGTERM');
    await once(watching, 'exit');
    const events = watched
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DecisionEvent);
    figure('shadow', {
      held,
      rows: rows.map(({ kind, subject }) => `${kind} ${subject}`),
      events: events.map(({ change, shadow }) => `${change} ${shadow}`),
      summary: status.summary,
      scanner: [...new Set(scanned.map(({ status: code }) => code))],
    });

    expect([...registered, ...again, call.invite, call.bye].map(({ status: code }) => code)).toEqual([
      200, 200, 200, 200, 200, 200,
    ]);
    expect(rows.map(({ kind, subject }) => `${kind} ${subject}`).toSorted()).toEqual([
      'ban 127.82.60.1',
      'ban 198.51.100.9',
      'quarantine 127.82.60.2',
    ]);
    expect(check.state).toBe('banned');
    // nobody notices: each probe got the challenge that everybody gets
    expect(scanned.map(({ status: code }) => code)).toEqual(scanned.map(() => 407));
    expect(held['ipban']).toBe(0);
    expect(held['companion_state']).toBe(0);
    expect(held['companion_good']).toBeGreaterThanOrEqual(4);
    const decided = events.filter(({ change }) => change === 'ban' || change === 'quarantine');
    expect(decided.length).toBeGreaterThanOrEqual(3);
    expect(events.every(({ shadow }) => shadow)).toBe(true);
    expect(status.mode).toBe('shadow');
    expect(status.summary).toContain('shadow mode');
    const logged = logOf(lab, 'companion')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event?: string; change?: string; shadow?: boolean })
      .filter(({ change }) => change === 'ban');
    expect(logged.length).toBe(2);
    expect(logged.every(({ shadow }) => shadow === true)).toBe(true);
    alice.close();
    bob.close();
  });
});
