import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import { family, figure, logOf, operate, readMetrics, residentMb, until } from './kit/companion.ts';
import { openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { forge } from './kit/forge.ts';
import { defining, reconfigure } from './kit/reconfigure.ts';
import { createUa } from './kit/ua.ts';
import type { Reply, Ua } from './kit/ua.ts';
import { requires } from './requirements.ts';

const SIP = '127.82.1.1:15060';
const CUSTOMERS = 10;
const SECONDS = 20;
const RATE = 5_000;
/** Of a customer's transaction, retransmissions included. */
const HARM_MS = 32_000;
const MAX_QUARANTINED = 10_000;
/** From an operator's word to Kamailio's table, through a line that is full of quarantines. */
const BAN_MS = 2_000;
const TCP_SECONDS = 3;

/** What Kamailio's tables may hold at most, by companion.cfg and the enforcer's caps. */
const KAMAILIO_CAPS: Readonly<Record<string, number>> = {
  ipban: 200_000,
  companion_net: 100_000,
  // what is being deleted stands for a moment beside what came for it
  companion_state: MAX_QUARANTINED + 2_000,
  companion_good: 200_000,
  companion_rate: 50_000,
  companion_credit: 300_000,
  companion_meta: 500,
};
/** Companion's own, by its settings' defaults. */
const COMPANION_CAPS: Readonly<Record<string, number>> = {
  quarantine: MAX_QUARANTINED,
  throttle: 50_000,
  'throttle-user': 50_000,
  ban: 200_000,
  good: 100_000,
};
const TABLE_CAP = 100_000;
/** Measured: 650. */
const MAX_RESIDENT_MB = 1_000;

requires(
  'root',
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('a flood', () => {
  let lab: Lab;
  let door: Door;
  let customers: readonly Ua[] = [];
  const users = [...Array.from({ length: CUSTOMERS }, (_, n) => `c${n}`), 'new1', 'new2', 'new3', 'tcp'];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flood-test-'));
    const config = join(folder, 'companion.yaml');
    // reached within seconds, so that what happens at the cap is seen
    writeFileSync(config, `decide: { max_quarantined: ${MAX_QUARANTINED} }\n`);
    lab = await startLab({ sip: SIP, users: users.map((user) => `${user}:secret`).join(','), config });
    rmSync(folder, { recursive: true });
    door = openDoor(lab, 15_000);
    const made = Array.from({ length: CUSTOMERS }, async (_, n) =>
      createUa({ server: SIP, from: `127.82.10.${n + 1}`, user: `c${n}` }),
    );
    customers = await Promise.all(made);
    for (const customer of customers) expect((await customer.register()).status).toBe(200);
  });
  afterAll(async () => {
    for (const customer of customers) customer.close();
    await lab?.stop();
  });

  /** All customers register again and again, one calls another, a new one comes, while `attack` runs. */
  const liveThrough = async (title: string, newcomer: string, attack: () => Promise<unknown>): Promise<void> => {
    const registrations: Reply[] = [];
    let over = false;
    const living = customers.map(async (customer, n) => {
      await sleep(n * 50);
      while (!over) {
        registrations.push(await customer.register());
        await sleep(500);
      }
    });
    const errorsBefore = logOf(lab, 'kamailio').length;
    const before = await door.memory();
    const lowest = { freeMb: before.freeMb, fragments: 0 };
    const most: Record<string, number> = {};
    const mostOwn: Record<string, number> = {};
    let rss = 0;
    const watching = (async () => {
      while (!over) {
        const [memory, tables, metrics] = await Promise.all([door.memory(), door.tables(), readMetrics(lab)]);
        lowest.freeMb = Math.min(lowest.freeMb, memory.freeMb);
        lowest.fragments = Math.max(lowest.fragments, memory.fragments);
        for (const [name, size] of Object.entries(tables)) most[name] = Math.max(most[name] ?? 0, size);
        const own = { ...family(metrics, 'companion_tables'), ...family(metrics, 'companion_ledger') };
        for (const [name, size] of Object.entries(own)) mostOwn[name] = Math.max(mostOwn[name] ?? 0, size);
        rss = Math.max(rss, residentMb(lab.pids().companion));
        await sleep(500);
      }
    })();
    const attacking = attack();
    const coming = (async () => {
      await sleep(3_000);
      const ua = await createUa({ server: SIP, from: `127.82.11.${newcomer.at(-1)}`, user: newcomer });
      const reply = await ua.register();
      ua.close();
      return reply;
    })();
    const calling = (async () => {
      await sleep(5_000);
      return customers[0]!.call('c1');
    })();
    const banning = (async () => {
      await sleep(6_000);
      const subject = `203.0.113.${newcomer.at(-1)}`;
      await operate(lab, 'ban.add', { subject, reason: 'test', author: 'test' });
      return until('banned', async () => (await door.get('ipban', subject)) !== undefined, 15_000, 5);
    })();
    const [attacked, first, call, banMs] = await Promise.all([attacking, coming, calling, banning]);
    over = true;
    await Promise.all([...living, watching]);
    const after = await door.memory();
    const [counters, metrics] = [await door.keys('companion_meta'), await readMetrics(lab)];
    const worst = Math.max(...registrations.map(({ ms }) => ms));
    const resent = registrations.filter(({ sent }) => sent > 2).length;
    figure(title, {
      attacked,
      registrations: registrations.length,
      worstMs: worst,
      resent,
      newcomerMs: first.ms,
      newcomerSent: first.sent,
      inviteMs: call.invite.ms,
      byeMs: call.bye.ms,
      banMs,
    });
    figure(title, { shmFreeBefore: before, shmFreeLowest: lowest, shmFreeAfter: after, companionRssMb: rss });
    figure(title, { kamailioTables: most });
    figure(title, { companionTables: mostOwn });
    figure(title, { kamailioCounters: Object.fromEntries([...counters].filter(([name]) => name.startsWith('c.'))) });
    for (const name of ['hook', 'verdicts', 'evictions', 'drops', 'store'])
      figure(title, { [name]: family(metrics, `companion_${name}_total`) });
    figure(title, { node: family(metrics, 'companion_node_counter') });

    expect(registrations.filter(({ status, ms }) => status !== 200 || ms > HARM_MS)).toEqual([]);
    expect(registrations.length).toBeGreaterThan(CUSTOMERS * 5);
    expect(first.status).toBe(200);
    expect(first.ms).toBeLessThan(HARM_MS);
    expect([call.invite.status, call.bye.status]).toEqual([200, 200]);
    expect(call.invite.ms).toBeLessThan(HARM_MS);
    expect(banMs).toBeLessThan(BAN_MS);
    const said = logOf(lab, 'kamailio').slice(errorsBefore);
    expect(
      said
        .split('\n')
        .filter((line) => /memory|CRITICAL/i.test(line))
        .slice(0, 3),
    ).toEqual([]);
    expect(lowest.freeMb).toBeGreaterThan(6);
    for (const [name, size] of Object.entries(most))
      expect([name, size <= (KAMAILIO_CAPS[name] ?? 0)]).toEqual([name, true]);
    for (const [name, size] of Object.entries(mostOwn))
      expect([name, size <= (COMPANION_CAPS[name] ?? TABLE_CAP)]).toEqual([name, true]);
    expect(rss).toBeLessThan(MAX_RESIDENT_MB);
  };

  test('5,000 requests a second from random forged sources', async () => {
    await liveThrough('flood', 'new1', async () => forge(SIP, RATE, SECONDS, 'random'));
  });

  test('the same, each of them naming a scanner: every source would be quarantined', async () => {
    await liveThrough('scanners', 'new2', async () =>
      forge(SIP, RATE, SECONDS / 2, 'random', { agent: 'friendly-scanner' }),
    );
  });

  test('TCP connections that say nothing, garbage, or half of something', async () => {
    await liveThrough('tcp', 'new3', async () => {
      const sockets: Socket[] = [];
      let refused = 0;
      for (let n = 0; n < 1_500; n += 1) {
        const socket = connect({ host: '127.82.1.1', port: 15_060, localAddress: `127.82.12.${(n % 200) + 1}` });
        socket.on('error', () => (refused += 1));
        socket.on('data', () => undefined);
        if (n % 3 === 1) socket.write('\x00\x01\xff garbage \r\n\r\n'.repeat(20));
        if (n % 3 === 2)
          socket.write('INVITE sip:100@127.82.1.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n');
        sockets.push(socket);
        if (n % 100 === 0) await sleep(100);
      }
      const ua = await createUa({ server: SIP, from: '127.82.13.1', user: 'tcp', transport: 'tcp' });
      const reply = await ua.register();
      ua.close();
      await sleep(5_000);
      const open = sockets.filter((socket) => !socket.destroyed).length;
      for (const socket of sockets) socket.destroy();
      expect(reply.status).toBe(200);
      expect(reply.ms).toBeLessThan(HARM_MS);
      return { connections: sockets.length, open, refused, customerMs: reply.ms };
    });
  });

  test('all connections that Kamailio allows, held by silent strangers: customers stay, new ones get in again', async () => {
    await reconfigure(lab, defining(`TCP_STRANGER_SECONDS ${TCP_SECONDS}`));
    const old = await createUa({ server: SIP, from: '127.82.14.1', user: 'tcp', transport: 'tcp' });
    expect((await old.register()).status).toBe(200);
    await sleep(TCP_SECONDS * 1_000 + 2_000);
    const sockets: Socket[] = [];
    for (let n = 0; n < 2_300; n += 1) {
      const socket = connect({ host: '127.82.1.1', port: 15_060, localAddress: `127.82.12.${(n % 200) + 1}` });
      socket.on('error', () => undefined);
      socket.on('data', () => undefined);
      sockets.push(socket);
      if (n % 200 === 0) await sleep(20);
    }
    const began = performance.now();
    const [still, udp] = await Promise.all([old.register(), customers[2]!.register()]);
    let newcomer: Reply | undefined;
    let tries = 0;
    while (newcomer?.status !== 200 && performance.now() - began < HARM_MS) {
      tries += 1;
      const ua = await createUa({
        server: SIP,
        from: '127.82.14.2',
        user: 'new1',
        transport: 'tcp',
        deadlineMs: 1_000,
      });
      newcomer = await ua.register();
      ua.close();
    }
    const lockedOutMs = Math.round(performance.now() - began);
    for (const socket of sockets) socket.destroy();
    old.close();
    figure('tcp full', {
      lockedOutMs,
      tries,
      oldCustomerMs: still.ms,
      udpCustomerMs: udp.ms,
      free: await door.memory(),
    });
    expect([still.status, udp.status, newcomer?.status]).toEqual([200, 200, 200]);
    expect(lockedOutMs).toBeLessThan(TCP_SECONDS * 1_000 + 12_000);
  });
});
