/** Nobody learns which extensions exist, and whoever asks for many is shut out: Show line 1, scanning. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figure, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { SOURCES, expectToolsEnforced, heldAt, showTimes } from './kit/enforced.ts';
import { METHODS, expectNothingLearned, expectSvwarBlind } from './kit/learned.ts';
import { openTcp, scanTcp, scanUdp } from './kit/scanner.ts';
import type { ScanResult } from './kit/scanner.ts';
import { PHONE_AGENT, requestText, statusOf } from './kit/sip-text.ts';
import { runSipp } from './kit/sipp.ts';
import { runTool } from './kit/svtools.ts';
import { expectAnswered, expectPlausible } from './kit/plausible.ts';
import { extensions, openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const NET = '127.81.1';
/** Half of what is scanned exists. */
const USERS = extensions(100, 199, (name) => `pw-${name}`);
const TARGETS = Object.keys(extensions(100, 250, String));
const BAN_LOOPBACK = 'decide: {ban_private: true}\n';
const MARKS_OFF = 'detect: {scanner_agent: {enabled: false}, scanner_fingerprint: {enabled: false}}\n';

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
  'sipp',
)('a scan for extensions', () => {
  let bed: Testbed;
  /** Where nobody is recognised by the marks of a tool: only what a scanner does counts. */
  let blind: Testbed;
  beforeAll(async () => {
    [bed, blind] = await Promise.all([
      openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: BAN_LOOPBACK }),
      openTestbed({ sip: '127.81.2.1:15060', users: USERS, yaml: BAN_LOOPBACK + MARKS_OFF }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([bed?.stop(), blind?.stop()]);
  });

  const quarantinedOnly = async (lab: Testbed, ip: string): Promise<void> => {
    await until('quarantined', async () => (await lab.why(ip)).state === 'quarantined');
    const why = await lab.why(ip);
    expect(why).toMatchObject({ state: 'quarantined', history: [] });
    expect(why.evidence.every(({ tier }) => tier === 'spoofable')).toBe(true);
    expect(await lab.check(ip)).toMatchObject({ state: 'quarantined' });
    await until('pushed', async () => (await lab.door.get('companion_state', `q${ip}`)) === '1');
    expect(await lab.door.get('ipban', ip)).toBeUndefined();
  };
  const banned = async (lab: Testbed, ip: string): Promise<void> => {
    await until('banned', async () => (await lab.why(ip)).state === 'banned');
    const why = await lab.why(ip);
    expect(why.evidence.some(({ tier }) => tier === 'proven')).toBe(true);
    expect(await lab.check(ip)).toMatchObject({ result: 'blocked' });
    await until('pushed', async () => (await lab.door.get('ipban', ip)) !== undefined);
    expect(await lab.door.get('ipban', ip)).toMatch(/^companion:1:/);
  };

  test.concurrent('svwar over UDP, as it comes and with --force, learns nothing', async () => {
    await expectSvwarBlind(
      'svwar',
      bed,
      (run) => `${NET}.${10 + run}`,
      '100-199',
      async ({ ip }) => quarantinedOnly(bed, ip),
    );
  });

  test.concurrent('svwar itself, without anything between it and the server', async () => {
    const args = ['-m', 'REGISTER', '-e', '100-199', '--force', '-p', '15060', bed.server.ip];
    const { found } = await runTool('svwar', args);
    expect([...found.keys()]).toEqual([]);
    await quarantinedOnly(bed, '127.0.0.1');
  });

  test.concurrent('svwar learns nothing where its marks are not known', async () => {
    await expectSvwarBlind(
      'svwar unmarked',
      blind,
      (run) => `127.81.2.${10 + run}`,
      '100-250',
      async ({ ip, sent }) => {
        expect(await blind.door.get('ipban', ip)).toBeUndefined();
        if (sent.length > 100) await quarantinedOnly(blind, ip);
      },
    );
  });

  test.concurrent('a scanner without marks, patient or fast, ends in quarantine and learns nothing', async () => {
    const scans = [
      { method: 'REGISTER', perSecond: 20, ip: `${NET}.30` },
      { method: 'REGISTER', perSecond: 200, ip: `${NET}.31` },
      { method: 'OPTIONS', perSecond: 200, ip: `${NET}.32` },
      { method: 'INVITE', perSecond: 200, ip: `${NET}.33` },
    ];
    await Promise.all(
      scans.map(async ({ method, perSecond, ip }) => {
        const where = { from: ip, server: bed.server, domain: bed.domain };
        const { sent, answers } = await scanUdp({ ...where, method, targets: TARGETS, perSecond });
        const why = await bed.why(ip);
        figure(`scanner ${method} ${perSecond}/s`, { sent, answers: tally(answers.map(statusOf)), rule: why.reason });
        expectNothingLearned(answers);
        // where both cores are busy, tells are sampled: then it takes some names more, after the time in which names of
        // customers are answered
        if ((await bed.why(ip)).state === 'stranger') {
          await sleep(4_500);
          await scanUdp({ ...where, method, targets: TARGETS.slice(0, 30), perSecond });
        }
        await quarantinedOnly(bed, ip);
      }),
    );
  });

  test('a scanner that answers challenges with wrong passwords is banned', async () => {
    const ip = `${NET}.40`;
    const where = { from: ip, server: bed.server, domain: bed.domain };
    const scan = { ...where, method: 'REGISTER', targets: TARGETS, perSecond: 100, password: 'guess' };
    const { sent, answers } = await scanUdp(scan);
    figure('scanner with wrong passwords', { sent, answers: tally(answers.map(statusOf)) });
    expectNothingLearned(answers);
    await banned(bed, ip);
    const after: ScanResult = await scanUdp({ ...where, method: 'OPTIONS', targets: ['100', '250'], perSecond: 20 });
    expect(after.answers).toEqual([]);
  });

  test.concurrent('over TCP a scan ends in a ban: the connection is closed, the next one gets nothing', async () => {
    await Promise.all(
      METHODS.map(async (method, index) => {
        const ip = `${NET}.${50 + index}`;
        const where = { from: ip, server: bed.server, domain: bed.domain };
        // more than it takes: it ends when it is closed
        const targets = [...TARGETS, ...TARGETS];
        const result = await scanTcp({ ...where, method, targets, perSecond: 100 });
        const { sent, answers, closedByServer, reconnectAnswers } = result;
        figure(`TCP scanner ${method}`, { sent, answers: tally(answers.map(statusOf)), closedByServer });
        expectNothingLearned(answers);
        expect(closedByServer).toBe(true);
        expect(reconnectAnswers).toBe(0);
        await banned(bed, ip);
      }),
    );
  });

  test.concurrent.each(['t1', 'tn'] as const)('sipp -t %s: the same', async (transport) => {
    await Promise.all(
      METHODS.map(async (method, index) => {
        const ip = `${NET}.${(transport === 't1' ? 60 : 70) + index}`;
        const rows = TARGETS.map((name) => [
          method === 'REGISTER' ? `sip:${bed.domain}` : `sip:${name}@${bed.domain}`,
          name,
          PHONE_AGENT,
        ]);
        const sipp = {
          scenario: `scan-${method.toLowerCase()}`,
          server: bed.server,
          from: ip,
          transport,
          rows,
          perSecond: 60,
        };
        const { answers, code } = await runSipp({ ...sipp, deadlineMs: 6_000 });
        figure(`sipp -t ${transport} ${method}`, { code, answers: tally(answers.map(statusOf)) });
        expectNothingLearned(answers);
        await banned(bed, ip);
        const client = await openTcp({ from: ip, server: bed.server });
        client?.send(
          requestText({ method, uri: rows[0]![0]!, from: 'sip:100@x', to: 'sip:100@x', local: client.local }),
        );
        await sleep(300);
        client?.close();
        expect(client?.received ?? []).toEqual([]);
      }),
    );
  });

  test('the packet that gives a tool away is the last one that is served: UDP to quarantine, TCP to ban', async () => {
    await expectToolsEnforced(bed, '127.81.30', '127.81.31');
  });

  test('so is the packet that crosses the threshold of enumeration', async () => {
    const of = (client: { local: string }, name: string): string => {
      const aor = `sip:${name}@${bed.domain}`;
      return requestText({ method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local });
    };
    // a /24 each: together they are no flood of one network
    const clients = await Promise.all(
      Array.from({ length: SOURCES }, async (_, index) => openUdp(`127.81.${40 + index}.1`, bed.server)),
    );
    for (let name = 0; name < 20; name += 1) {
      await Promise.all(clients.map(async (client) => client.send(of(client, String(3_001 + name * 77)))));
      await sleep(120);
    }
    await sleep(4_100);
    const times: number[] = [];
    for (const client of clients) {
      expect(await bed.door.get('companion_state', `q${client.ip}`)).toBeUndefined();
      const sentAt = performance.now();
      await client.send(of(client, '9999'));
      times.push((await heldAt(bed, 'companion_state', `q${client.ip}`)) - sentAt);
      client.close();
    }
    showTimes('enumeration over UDP', times);
  });

  test('Kamailio has nothing to complain about, and counts what it did', async () => {
    for (const lab of [bed, blind]) {
      expect(lab.complaints()).toEqual([]);
      expect(await lab.counters()).toMatchObject({ ask: expect.any(Number) });
    }
    const counters = await expectPlausible(bed);
    expectAnswered(counters);
    expect(counters).toMatchObject({ banned: expect.any(Number), challenge: expect.any(Number) });
  });
});
