/** Debian's own kamailio.cfg, changed only as kamailio/README.md says, on the real Kamailio. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusReport } from '../../src/model/index.ts';
import { untilAsked } from './kit/asked.ts';
import { figure, logOf, operate, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { expectPlausible } from './kit/plausible.ts';
import { scanTcp, scanUdp } from './kit/scanner.ts';
import { PHONE_AGENT, headerOf, requestText, shapesOf, statusOf, token } from './kit/sip-text.ts';
import { openStockBed } from './kit/stock.ts';
import { openRelay, runTool } from './kit/svtools.ts';
import { extensions } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const NET = '127.84.1';
const USERS = { alice: 'wonderland', bob: 'builder', ...extensions(100, 149, (name) => `pw-${name}`) };
/** Half of them exist. */
const TARGETS = Object.keys(extensions(100, 250, String));
const DEFINES = ['WITH_AUTH', 'WITH_IPAUTH', 'WITH_ANTIFLOOD', 'WITH_NAT', 'WITH_USRLOCDB'];
/** In the table that stock's allow_source_address() reads. */
const GATEWAY = `${NET}.200`;
/** Stock's pike ends at 16 requests in 2 seconds. */
const FLOOD = 200;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
)("Debian's kamailio.cfg with companion", () => {
  let bed: Testbed;
  const phones: Ua[] = [];
  let alice: Ua;
  const phone = async (user: 'alice' | 'bob', host: number, transport: 'udp' | 'tcp' = 'udp'): Promise<Ua> => {
    const server = bed.lab.ready.sip;
    const ua = await createUa({ server, from: `${NET}.${host}`, user, password: USERS[user], transport });
    phones.push(ua);
    return ua;
  };
  beforeAll(async () => {
    bed = await openStockBed({
      sip: `${NET}.1:15060`,
      users: USERS,
      yaml: 'decide: {ban_private: true}\n',
      defines: DEFINES,
      trusted: [[1, GATEWAY, 32]],
    });
    await untilAsked(bed, `${NET}.19`);
    alice = await phone('alice', 20);
    const bob = await phone('bob', 21);
    expect([(await alice.register()).status, (await bob.register()).status]).toEqual([200, 200]);
  });
  afterAll(async () => {
    for (const ua of phones) ua.close();
    await bed?.stop();
  });

  const callsBob = async (caller: Ua): Promise<readonly number[]> => {
    const { invite, bye } = await caller.call('bob');
    return [invite.status, bye.status];
  };
  const expectNothingLearned = (answers: readonly string[]): void => {
    const [usual, ...others] = shapesOf(answers);
    expect({ usual, others }).toEqual({ usual, others: [] });
    expect(answers.map(statusOf).filter((status) => status !== 401 && status !== 407)).toEqual([]);
  };

  test('a phone registers, is known-good, and calls through, over UDP and TCP', async () => {
    expect((await bed.door.keys('companion_good')).has(alice.local)).toBe(true);
    const overTcp = await phone('alice', 22, 'tcp');
    const statuses = [await callsBob(alice), await callsBob(overTcp)].flat();
    figure('stock calls', { statuses });
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(await bed.door.counter('ask')).toBeGreaterThan(0);
  });

  test('a phone behind NAT calls through: its proof stands beside nat=yes', async () => {
    const nated = await phone('alice', 23);
    const contact = 'Contact: <sip:alice@192.168.7.7:5060>';
    const dialog = { callId: token(), fromTag: token() };
    const uri = `sip:bob@${bed.domain}`;
    const invite = await nated.authenticated({ ...dialog, method: 'INVITE', uri, headers: [contact] });
    const routes = [...invite.text.matchAll(/^Record-Route: (.*)\r$/gm)].map(([, route]) => route!);
    expect(routes.join()).toMatch(/;cdp=[0-9a-f]{42}/);
    const target = /^Contact: <([^>]*)>/m.exec(invite.text)?.[1] ?? '';
    const to = /^To: (.*)\r$/m.exec(invite.text)?.[1] ?? '';
    const headers = [contact, ...routes.toReversed().map((route) => `Route: ${route}`)];
    const bye = await nated.request({ ...dialog, method: 'BYE', uri: target, to, headers });
    figure('stock NAT', { routes, statuses: [invite.status, bye.status] });
    expect([invite.status, bye.status]).toEqual([200, 200]);
  });

  test('svwar learns nothing and is quarantined', async () => {
    for (const [index, method] of ['REGISTER', 'OPTIONS', 'INVITE'].entries()) {
      const relay = await openRelay(`${NET}.${30 + index}`, bed.server);
      const where = [`--domain=${bed.domain}`, '-p', String(relay.port), relay.ip];
      const { found } = await runTool('svwar', ['-m', method, '-e', '100-149', '--force', ...where]);
      relay.close();
      figure(`stock svwar ${method}`, { sent: relay.sent.length, answers: tally(relay.answers.map(statusOf)) });
      expect([...found.keys()]).toEqual([]);
      expectNothingLearned(relay.answers);
      expect((await bed.why(relay.ip)).state).toBe('quarantined');
      expect(await bed.door.get('ipban', relay.ip)).toBeUndefined();
    }
  });

  test('a scanner without marks: quarantined over UDP, banned over TCP', async () => {
    await Promise.all(
      ['REGISTER', 'OPTIONS', 'INVITE'].map(async (method, index) => {
        const scan = { method, server: bed.server, domain: bed.domain, targets: TARGETS, perSecond: 100 };
        const from = { udp: `${NET}.${40 + index}`, tcp: `${NET}.${50 + index}` };
        const [udp, tcp] = await Promise.all([
          scanUdp({ ...scan, from: from.udp }),
          scanTcp({ ...scan, targets: [...TARGETS, ...TARGETS], from: from.tcp }),
        ]);
        const answers = { udp: tally(udp.answers.map(statusOf)), tcp: tally(tcp.answers.map(statusOf)) };
        figure(`stock scanner ${method}`, { sent: [udp.sent, tcp.sent], ...answers });
        expectNothingLearned([...udp.answers]);
        expectNothingLearned([...tcp.answers]);
        await until('quarantined', async () => (await bed.why(from.udp)).state === 'quarantined');
        await until('pushed', async () => (await bed.door.get('ipban', from.tcp)) !== undefined);
        expect(await bed.door.get('ipban', from.tcp)).toMatch(/^companion:1:/);
        expect([tcp.closedByServer, tcp.reconnectAnswers]).toEqual([true, 0]);
      }),
    );
  });

  test('preloaded Routes and To-tags lead nowhere, for strangers and for customers', async () => {
    const sink = await openUdp('127.84.9.9', bed.server, 5_099);
    const attacker = await openUdp(`${NET}.60`, bed.server);
    const them = `<sip:127.84.9.9:5099;lr>`;
    const us = `<sip:${NET}.1:15060;lr>`;
    const bob = `sip:bob@${bed.domain}`;
    const tricks = [
      { uri: bob, more: [`Route: ${them}`] },
      { uri: bob, more: [`Route: ${us}, ${them}`] },
      { uri: 'sip:victim@127.84.9.9:5099', more: [`Route: ${us}`] },
      { uri: 'sip:victim@127.84.9.9:5099', more: [] },
    ];
    for (const trick of tricks) {
      for (const method of ['INVITE', 'MESSAGE', 'BYE', 'ACK', 'REFER', 'NOTIFY', 'PRACK', 'SUBSCRIBE', 'OPTIONS']) {
        for (const toTag of [token(), undefined]) {
          const parts = { method, from: `sip:alice@${bed.domain}`, to: bob, local: attacker.local, ...trick };
          await attacker.send(requestText(toTag === undefined ? parts : { ...parts, toTag }));
        }
      }
      await sleep(150);
    }
    const insider = await phone('alice', 24);
    const statuses: number[] = [];
    for (const method of ['INVITE', 'MESSAGE', 'BYE']) {
      const to = `<sip:premium@${bed.domain}>;tag=${token()}`;
      const headers = [`Route: ${us}, ${them}`];
      statuses.push((await insider.authenticated({ method, uri: bob, to, headers })).status);
    }
    await sleep(150);
    figure('stock relay tricks', {
      answers: tally(attacker.received.map(({ text }) => statusOf(text))),
      insider: statuses,
      relayed: sink.received.length,
    });
    expect(sink.received.map(({ text }) => text.split('\r\n')[0])).toEqual([]);
    expect(new Set(statuses)).toEqual(new Set([404]));
    sink.close();
    attacker.close();
  });

  test('a flood with a forged sender bans nobody, and logs nothing for each packet', async () => {
    const forged = await openUdp(`${NET}.20`, bed.server);
    const before = logOf(bed.lab, 'kamailio').length;
    for (let n = 0; n < FLOOD; n += 1) {
      const aor = `sip:${n}@${bed.domain}`;
      const parts = { method: 'OPTIONS', uri: aor, from: aor, to: aor, local: forged.local, agent: PHONE_AGENT };
      await forged.send(requestText(parts));
      if (n % 20 === 0) await sleep(10);
    }
    const during = await callsBob(alice);
    await sleep(500);
    const after = await callsBob(alice);
    const lines = logOf(bed.lab, 'kamailio').slice(before).split('\n').length;
    figure('stock forged flood', { sent: FLOOD, calls: [during, after], logLines: lines });
    expect([...during, ...after]).toEqual([200, 200, 200, 200]);
    expect(await bed.door.get('ipban', `${NET}.20`)).toBeUndefined();
    expect(lines).toBeLessThan(60);
    forged.close();
  });

  test('a gateway of the address table calls in without credentials, whatever is forged in its name', async () => {
    const gateway = await createUa({ server: bed.lab.ready.sip, from: GATEWAY, user: 'gateway' });
    phones.push(gateway);
    const calls = async (): Promise<number> => {
      const uri = `sip:bob@${bed.domain}`;
      const contact = `Contact: <sip:gateway@${gateway.local}>`;
      const dialog = { callId: token(), fromTag: token() };
      const { status, text } = await gateway.request({ ...dialog, method: 'INVITE', uri, headers: [contact] });
      if (status !== 200) return status;
      const to = headerOf(text, 'To');
      const headers = [`Route: ${headerOf(text, 'Record-Route')}`];
      return (await gateway.request({ ...dialog, method: 'BYE', uri: `sip:bob@${phones[1]!.local}`, to, headers }))
        .status;
    };
    const before = await calls();
    const forged = await openUdp(GATEWAY, bed.server);
    const aor = `sip:1@${bed.domain}`;
    const tool = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, agent: 'friendly-scanner' };
    await forged.send(requestText({ ...tool, local: forged.local }));
    await sleep(300);
    const after = await calls();
    figure('stock gateway', { before, after, state: (await bed.why(GATEWAY)).state });
    expect([before, after]).toEqual([200, 200]);
    // a trusted address is no customer: it registers nobody
    const register = await forged.ask(requestText({ ...tool, agent: PHONE_AGENT, local: forged.local }));
    expect(statusOf(register ?? '')).toBe(401);
    forged.close();
  });

  test('companion killed: phones register and call as before, and it comes back', async () => {
    const [caller, newcomer] = [await phone('alice', 70), await phone('bob', 71, 'tcp')];
    process.kill(bed.lab.pids().companion, 'SIGKILL');
    const registered = [await caller.register(), await newcomer.register()];
    const { invite, bye } = await caller.call('bob');
    const replies = [...registered, invite, bye];
    const known = await callsBob(alice);
    figure('stock without companion', {
      statuses: replies.map(({ status }) => status),
      ms: replies.map(({ ms }) => ms),
    });
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(known).toEqual([200, 200]);
    await until(
      'companion is back',
      async () => {
        const status = await operate<StatusReport>(bed.lab, 'status').catch(() => undefined);
        return status?.nodes[0]?.state === 'connected';
      },
      20_000,
    );
    await until(
      'and protects',
      async () => {
        const asks = await bed.door.counter('ask');
        const client = await openUdp(`${NET}.72`, bed.server);
        const aor = `sip:alice@${bed.domain}`;
        const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local };
        await client.ask(requestText(parts));
        client.close();
        return (await bed.door.counter('ask')) > asks;
      },
      15_000,
      300,
    );
  });

  test('Kamailio complains about the missing rtpproxy only', async () => {
    await expectPlausible(bed, ['evapi-closed', 'evapi-refused']);
    const others = bed.complaints().filter((line) => !/rtpproxy|rtpp_|RTP proxy|evapi/i.test(line));
    expect(others).toEqual([]);
  });
});
