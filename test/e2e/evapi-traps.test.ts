/** The traps of Kamailio's evapi (5.6), each shown on the real one, and that companion does not step into it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import { encodeNetstring, encodeVerdict, toEvapi } from '../../src/protocol/index.ts';
import { family, figure, logOf, readMetrics, until } from './kit/companion.ts';
import { lineOf, openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { openEvapi, restartWith } from './kit/evapi-client.ts';
import type { EvapiClient } from './kit/evapi-client.ts';
import { spread } from './kit/figures.ts';
import { blockMainThread, freeTcpPort } from './kit/inspector.ts';
import { defining } from './kit/reconfigure.ts';
import { requestText, statusOf } from './kit/sip-text.ts';
import { createUa } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const HOST = '127.83.8.1';
const SERVER = { ip: HOST, port: 15_060 };
/** What the kernel buffers between two processes that do not read: 6.2 MB were measured. */
const OVERFULL_BYTES = 10_000_000;
const LARGE = 4_400;
const FROZEN_MS = 2_500;
const BURST = 20_000;
/** Most answers that can be due at one moment: the budget of Kamailio's asks in flight. */
const IN_FLIGHT = 200;

const optionsFrom = (local: string, filling = 0): string => {
  const uri = `sip:100@${HOST}`;
  return requestText({ method: 'OPTIONS', uri, from: uri, to: uri, local, more: [`Subject: ${'A'.repeat(filling)}`] });
};

let nextProbe = 0;
/** Asks for one answer from an address that nobody saw before. @returns milliseconds, Infinity without an answer */
const probe = async (): Promise<number> => {
  nextProbe += 1;
  const client = await openUdp(`127.83.${90 + (nextProbe >> 7)}.${(nextProbe & 127) + 1}`, SERVER);
  const began = performance.now();
  const answer = await client.ask(optionsFrom(client.local), { withinMs: FROZEN_MS });
  client.close();
  return answer !== undefined && statusOf(answer) > 0 ? performance.now() - began : Infinity;
};

/** Large requests of strangers until so many bytes of frames have been handed to evapi. */
const flood = async (net: string, bytes = OVERFULL_BYTES): Promise<void> => {
  const count = Math.ceil(bytes / (LARGE * 1.4));
  const clients = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => openUdp(`127.83.${net}.${n + 1}`, SERVER)),
  );
  for (let n = 0; n < count; n += 1) {
    const client = clients[n % clients.length]!;
    await client.send(optionsFrom(client.local, LARGE));
    if (n % 10 === 9) await sleep(8);
  }
  for (const client of clients) client.close();
};

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('the traps of evapi', () => {
  let lab: Lab;
  let door: Door;
  let inspectPort: number;
  let clients: EvapiClient[] = [];
  const connect = async (): Promise<EvapiClient> => {
    const client = await openEvapi(lab);
    clients.push(client);
    return client;
  };
  /** Kamailio with budgets so high that only reading keeps it alive. */
  const withoutBudgets = (text: string): string =>
    [
      'COMPANION_ASKS_PER_SECOND 100000',
      'COMPANION_ASKS_IN_FLIGHT 100000',
      'COMPANION_EVAPI_FRAMES 100000000',
      'COMPANION_ASK_MS 30000',
    ]
      .map((words) => defining(words))
      .reduce((all, change) => change(all), text);

  beforeAll(async () => {
    inspectPort = await freeTcpPort();
    const before = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = `--inspect=127.0.0.1:${inspectPort}`;
    try {
      lab = await startLab({ sip: `${HOST}:15060`, users: 'alice:secret', transport: 'evapi' });
    } finally {
      if (before === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = before;
    }
    door = openDoor(lab);
  });
  afterEach(() => {
    for (const client of clients) client.close();
    clients = [];
  });
  afterAll(async () => {
    await lab?.stop();
  });

  test('a client that does not read stops every SIP worker; companion whose event loop hangs does not', async () => {
    const { companion } = lab.pids();
    await restartWith(lab, withoutBudgets);
    await until('asks', async () => {
      await probe();
      return (await door.counter('ask')) > 0;
    });
    // known-good: told, not asked about
    const phone = await createUa({
      server: `${HOST}:15060`,
      from: '127.83.80.1',
      user: 'alice',
      deadlineMs: FROZEN_MS,
    });
    expect((await phone.register()).status).toBe(200);
    const customer = async (): Promise<number> => {
      const { status, ms } = await phone.request({ method: 'OPTIONS', uri: `sip:100@${HOST}` });
      return status === 0 ? Infinity : ms;
    };
    // keeps the breaker closed, so that nothing but reading decides; frames go to companion, which came first
    const pacemaker = await connect();
    pacemaker.authenticate();

    // the event loop hangs, the thread reads
    await blockMainThread(inspectPort, 6_000);
    const stalled: number[] = [];
    const flooding = flood('81');
    for (let n = 0; n < 10; n += 1) {
      stalled.push(await customer());
      await sleep(150);
    }
    await flooding;
    const after = await customer();
    await until('companion goes on', async () => readMetrics(lab).then(Boolean, () => false), 20_000);
    const hook = family(await readMetrics(lab), 'companion_hook_total');
    figure('event loop hangs', { probes: spread(stalled), after, asks: hook['asks'], late: hook['late'] });
    expect(Math.max(...stalled, after)).toBeLessThan(300);
    expect(hook['asks']).toBeGreaterThan(1_000);
    expect(pacemaker.bytesIn()).toBe(0);

    // the whole process hangs, the thread as well
    process.kill(companion, 'SIGSTOP');
    try {
      const frozen = flood('82');
      await frozen;
      const blocked = await customer();
      process.kill(companion, 'SIGCONT');
      const freed = await until('answers again', async () => (await customer()) < 1_000, 15_000);
      figure('nobody reads', { blocked: blocked === Infinity ? `no answer in ${FROZEN_MS} ms` : blocked, freed });
      expect(blocked).toBe(Infinity);
      phone.close();
    } finally {
      process.kill(companion, 'SIGCONT');
    }
  });

  test('with the budgets as they are shipped, even a client that never reads stops nobody', async () => {
    await restartWith(lab, (text) => text.replace(/#!define COMPANION_(?:ASKS_|ASK_MS|EVAPI_FRAMES)[^\n]*\n/g, ''));
    await until('asks', async () => {
      await probe();
      return (await door.counter('ask')) > 0;
    });
    process.kill(lab.pids().companion, 'SIGSTOP');
    try {
      const probes: number[] = [];
      const flooding = flood('83');
      for (let n = 0; n < 8; n += 1) {
        probes.push(await probe());
        await sleep(400);
      }
      await flooding;
      figure('nobody reads, with budgets', { probes: spread(probes) });
      expect(Math.max(...probes)).toBeLessThan(1_500);
    } finally {
      process.kill(lab.pids().companion, 'SIGCONT');
    }
  });

  test('without any client calls go on: not connected is not a reason to wait', async () => {
    // nobody ever finds this port
    const port = await freeTcpPort();
    await restartWith(lab, (text) => text.replace(/(COMPANION_EVAPI_BIND "[^"]*:)\d+/, `$1${port}`));
    await sleep(500);
    const times = [];
    for (let n = 0; n < 20; n += 1) times.push(await probe());
    figure('no client', { probes: spread(times), unasked: await door.counter('unasked') });
    expect(Math.max(...times)).toBeLessThan(250);
    expect(await door.counter('ask')).toBe(0);
    expect(await door.counter('unasked')).toBeGreaterThanOrEqual(20);
  });

  test(`of ${BURST} verdicts in bursts none is lost when they are padded, and many when they are not`, async () => {
    // verdicts with a wrong secret are counted one by one, in the process that reads them
    const verdict = (n: number): Buffer => encodeVerdict('0'.repeat(32), n * 7, n * 13, 'allow');
    const counted = async (frames: readonly Buffer[], together: number): Promise<number> => {
      const client = await connect();
      const before = await door.counter('bad_frame');
      for (let at = 0; at < frames.length; at += together) {
        client.write(Buffer.concat(frames.slice(at, at + together)));
        // no more than the budget of asks lets be due: the next ones once these were read
        const sent = at + together;
        if (sent % IN_FLIGHT === 0 && together < BURST)
          await until('read', async () => (await door.counter('bad_frame')) - before >= sent, 1_000, 1).catch(() => 0);
      }
      let last = -1;
      await until(
        'counting has ended',
        async () => {
          const now = await door.counter('bad_frame');
          const same = now === last;
          last = now;
          return same;
        },
        20_000,
        300,
      );
      client.close();
      return last - before;
    };
    const numbers = Array.from({ length: BURST }, (_, n) => n);
    const padded = await counted(
      numbers.map((n) => toEvapi(verdict(n))),
      1,
    );
    const atOnce = await counted(
      numbers.map((n) => toEvapi(verdict(n))),
      IN_FLIGHT,
    );
    const short = (n: number): Buffer => encodeNetstring(Buffer.from(verdict(n).toString().trimEnd()));
    const bare = await counted(numbers.map(short), BURST);
    // what happens then, by hand: a read that ends within the digits, and one that ends elsewhere
    const client = await connect();
    const before = await door.counter('bad_frame');
    for (const cut of [1, 30]) {
      client.write(short(1).subarray(0, cut));
      await sleep(200);
      client.write(short(1).subarray(cut));
      await sleep(200);
    }
    const split = (await door.counter('bad_frame')) - before;
    figure('verdicts', { sent: BURST, padded, atOnce, bare, split: `${split} of 2` });
    expect([padded, atOnce]).toEqual([BURST, BURST]);
    expect(split).toBe(1);
  });

  test('what comes over evapi is not written into the log of Kamailio', () => {
    expect(logOf(lab, 'kamailio')).not.toContain(lineOf(lab).down);
  });
});
