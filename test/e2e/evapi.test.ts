/** The loop over evapi: Show lines 1, 5 and 6 again, with frames over a TCP connection instead of datagrams. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lab } from '../../src/lab/index.ts';
import { encodeVerdict, toEvapi } from '../../src/protocol/index.ts';
import type { CheckReport, StatusReport } from '../../src/model/index.ts';
import { family, figure, operate, readMetrics, until } from './kit/companion.ts';
import { lineOf } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { expectToolsEnforced } from './kit/enforced.ts';
import { openEvapi } from './kit/evapi-client.ts';
import { spread } from './kit/figures.ts';
import { METHODS, expectNothingLearned, expectSvcrackBlind, expectSvwarBlind } from './kit/learned.ts';
import { kill } from './kit/reconfigure.ts';
import { openTcp, scanTcp, scanUdp } from './kit/scanner.ts';
import { PHONE_AGENT, requestText, shapesOf, statusOf, token } from './kit/sip-text.ts';
import { runSipp } from './kit/sipp.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import type { Reply, Ua } from './kit/ua.ts';
import { requires } from './requirements.ts';

const HOST = '127.83.1.1';
const SIP = `${HOST}:15060`;
const SERVER = { ip: HOST, port: 15_060 };
/** Goal: one second. The machine's two cores are shared. */
const BACK_MS = 3_000;
const WRONG = '0123456789abcdef0123456789abcdef';
const USERS = ['callee', 'good', ...Array.from({ length: 20 }, (_, n) => `s${n}`)];

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
  'sipp',
)('over evapi', () => {
  let bed: Testbed;
  let lab: Lab;
  let door: Door;
  const open: Ua[] = [];
  const phone = async (user: string, from: string, transport: 'udp' | 'tcp' = 'udp'): Promise<Ua> => {
    const ua = await createUa({ server: SIP, from, user, transport, deadlineMs: 6_000 });
    open.push(ua);
    return ua;
  };
  const options = { method: 'OPTIONS', uri: `sip:100@${HOST}` };
  const connected = async (): Promise<boolean> =>
    operate<StatusReport>(lab, 'status').then(
      ({ nodes }) => nodes[0]?.state === 'connected',
      () => false,
    );

  beforeAll(async () => {
    const users = Object.fromEntries(USERS.map((user) => [user, 'secret']));
    bed = await openTestbed({ sip: SIP, users, yaml: 'decide: {ban_private: true}\n', transport: 'evapi' });
    ({ lab, door } = bed);
  });
  afterAll(async () => {
    for (const ua of open) ua.close();
    await bed?.stop();
  });

  test('phones register and call, outcomes are told, nothing is lost', async () => {
    const callee = await phone('callee', '127.83.2.1');
    const good = await phone('good', '127.83.2.2');
    expect([(await callee.register()).status, (await good.register()).status]).toEqual([200, 200]);
    const call = await good.call('callee');
    expect([call.invite.status, call.bye.status]).toEqual([200, 200]);
    await until('both are known-good', async () => (await operate<StatusReport>(lab, 'status')).counts.good === 2);
    const metrics = await readMetrics(lab);
    expect(family(metrics, 'companion_hook_total')).toMatchObject({ lost: 0 });
  });

  test('a scan over UDP ends in quarantine, one over TCP in a ban, and both learn nothing', async () => {
    const targets = Array.from({ length: 60 }, (_, n) => String(300 + n));
    const udp = await scanUdp({
      from: '127.83.3.1',
      server: SERVER,
      domain: HOST,
      method: 'REGISTER',
      targets,
      perSecond: 200,
      agent: 'friendly-scanner',
    });
    const [usual, ...others] = shapesOf(udp.answers);
    expect([usual !== undefined, others]).toEqual([true, []]);
    expect(new Set(udp.answers.map(statusOf))).toEqual(new Set([401]));
    const scanner = await openTcp({ from: '127.83.3.2', server: SERVER });
    for (const user of targets.slice(0, 5)) {
      const aor = `sip:${user}@${HOST}`;
      const text = {
        method: 'OPTIONS',
        uri: aor,
        from: aor,
        to: aor,
        local: scanner!.local,
        transport: 'TCP',
      } as const;
      scanner!.send(requestText({ ...text, agent: 'friendly-scanner' }));
      await sleep(5);
    }
    await until('ban', async () => (await door.get('ipban', '127.83.3.2')) !== undefined);
    const states = await Promise.all(
      ['127.83.3.1', '127.83.3.2'].map(async (ip) => (await operate<CheckReport>(lab, 'check', { ip })).state),
    );
    scanner!.close();
    figure('evapi scan', { sent: udp.sent, answers: udp.answers.length, states });
    expect(states).toEqual(['quarantined', 'banned']);
  });

  test('svwar and svcrack, as they come and with --force, learn nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evapi-'));
    const words = join(folder, 'words.txt');
    writeFileSync(words, [...Array.from({ length: 20 }, (_, n) => `word${n}`), 'secret'].join('\n'));
    try {
      await Promise.all([
        expectSvwarBlind(
          'evapi: svwar',
          bed,
          (run) => `127.83.10.${10 + run}`,
          '100-199',
          async ({ ip }) => {
            expect(await bed.why(ip)).toMatchObject({ state: 'quarantined', history: [] });
            expect(await door.get('ipban', ip)).toBeUndefined();
          },
        ),
        expectSvcrackBlind(bed, '127.83.10.30', 's0', words, 'quarantined'),
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a scanner without marks gets identical challenges; UDP ends in quarantine, TCP in a ban, also with sipp', async () => {
    await Promise.all(
      METHODS.flatMap((method, index) => {
        // nine scanners at once: where both cores are busy, some of their names are not told
        const targets = Array.from({ length: 260 }, (_, n) => String(100 + n));
        const where = { server: SERVER, domain: HOST, method, targets, perSecond: 100 };
        const overUdp = async (): Promise<void> => {
          const from = `127.83.11.${10 + index}`;
          const { answers } = await scanUdp({ ...where, from });
          expectNothingLearned(answers);
          expect(await bed.why(from)).toMatchObject({ state: 'quarantined', history: [] });
        };
        const overTcp = async (): Promise<void> => {
          const from = `127.83.12.${10 + index}`;
          const { answers, closedByServer, reconnectAnswers } = await scanTcp({ ...where, from });
          expectNothingLearned(answers);
          expect([closedByServer, reconnectAnswers]).toEqual([true, 0]);
          expect((await bed.why(from)).state).toBe('banned');
        };
        const withSipp = async (): Promise<void> => {
          const from = `127.83.13.${10 + index}`;
          const aim = (name: string): string => (method === 'REGISTER' ? `sip:${HOST}` : `sip:${name}@${HOST}`);
          const rows = targets.map((name) => [aim(name), name, PHONE_AGENT]);
          const scenario = `scan-${method.toLowerCase()}`;
          const sipp = { scenario, server: SERVER, from, transport: 't1', rows, perSecond: 60 } as const;
          const { answers } = await runSipp({ ...sipp, deadlineMs: 6_000 });
          expectNothingLearned(answers);
          expect((await bed.why(from)).state).toBe('banned');
        };
        return [overUdp(), overTcp(), withSipp()];
      }),
    );
  });

  test('the packet that gives a tool away is the last one that is served', async () => {
    await expectToolsEnforced(bed, '127.83.14', '127.83.15');
  });

  test('companion hung, going on, killed: every request has its answer, and it mends itself', async () => {
    const kamailio = lab.pids().kamailio;
    let next = 0;
    const stranger = async (): Promise<Reply> => {
      next += 1;
      return (await phone('x', `127.83.4.${next}`)).request(options);
    };
    const several = async (count: number): Promise<Reply[]> => {
      const replies: Reply[] = [];
      for (let n = 0; n < count; n += 1) replies.push(await stranger());
      return replies;
    };
    const before = await several(10);
    process.kill(lab.pids().companion, 'SIGSTOP');
    const first = await stranger();
    const hung = await several(20);
    process.kill(lab.pids().companion, 'SIGCONT');
    const asks = await door.counter('ask');
    await until('asks again', async () => {
      await stranger();
      return (await door.counter('ask')) > asks;
    });
    const died = kill(lab, 'companion');
    await sleep(20);
    // nobody is connected: the closed connection says so at once, no request waits
    const gone = await several(20);
    await died;
    const backMs = await until('connected again', connected);
    const customer = await (await phone('s1', '127.83.4.200')).register();
    const times = (replies: readonly Reply[]) => spread(replies.map(({ ms }) => ms));
    figure('evapi outage', { ms: times(before), firstMs: first.ms, hung: times(hung), gone: times(gone), backMs });
    const statuses = [...before, first, ...hung, ...gone].map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([407]));
    expect(first.ms).toBeLessThan(900);
    // one of each may have been asked about just before the signal took effect
    for (const replies of [hung, gone]) {
      const [worst = 0, ...others] = replies.map(({ ms }) => ms).toSorted((a, b) => b - a);
      expect(worst).toBeLessThan(900);
      expect(Math.max(...others)).toBeLessThan(250);
    }
    expect(customer.status).toBe(200);
    expect(lab.pids().kamailio).toBe(kamailio);
    expect(await door.counter('ask_lost')).toBe(0);
  });

  test('Kamailio killed: bans and known-good are back within a second of its return', async () => {
    const subjects = Array.from({ length: 300 }, (_, n) => `198.18.${n >> 8}.${n & 255}`);
    for (const subject of subjects) await operate(lab, 'ban.add', { subject, reason: 'test', author: 'test' });
    const held = async (): Promise<readonly [number, number]> => {
      const { ipban = -1, companion_good: good = -1 } = await door.tables();
      return [ipban, good];
    };
    await until('Kamailio holds them', async () => (await held())[0] >= subjects.length);
    const before = await held();
    const died = kill(lab, 'kamailio');
    await until(
      'it is gone',
      async () =>
        held().then(
          () => false,
          () => true,
        ),
      5_000,
      5,
    );
    let answered = 0;
    let goodFirst = true;
    await until(
      'the tables are as they were',
      async () => {
        const now = await held().catch(() => undefined);
        if (now === undefined) return false;
        if (answered === 0) answered = performance.now();
        if (now[0] > 0 && now[1] < before[1]) goodFirst = false;
        return now[0] >= before[0] && now[1] >= before[1];
      },
      15_000,
      5,
    );
    const backMs = Math.round(performance.now() - answered);
    await died;
    await until('connected again', connected);
    figure('evapi: Kamailio killed', { bans: before[0], good: before[1], backMs });
    expect(before[1]).toBeGreaterThan(0);
    expect(goodFirst).toBe(true);
    expect(backMs).toBeLessThan(BACK_MS);
  });

  test('hostile values cross whole', async () => {
    const values = [
      'a\x00b',
      '12:x,',
      '0:,',
      `a"'\\\`<>;&|$(id)`,
      '\xff\xfe\xed\xa0',
      'A'.repeat(4_000),
      '", "x',
      '\t1:a,',
    ];
    // the server was just started again: it asks once a heartbeat has come
    const asksThen = await door.counter('ask');
    await until('it asks', async () => {
      await (await phone('x', '127.83.5.250')).request(options);
      return (await door.counter('ask')) > asksThen;
    });
    const metricsBefore = family(await readMetrics(lab), 'companion_drops_total');
    const asksBefore = family(await readMetrics(lab), 'companion_hook_total')['asks'] ?? 0;
    for (const [n, value] of values.entries()) {
      for (const [m, header] of ['User-Agent', 'Subject', 'Call-ID'].entries()) {
        const ua = await phone('x', `127.83.5.${n * 3 + m + 1}`);
        const uri = `sip:100@${HOST}`;
        const more = header === 'Call-ID' ? [] : [`${header}: ${value}`];
        const callId = header === 'Call-ID' ? `${value}${token()}` : token();
        ua.send(requestText({ method: 'OPTIONS', uri, from: uri, to: uri, local: ua.local, agent: '', callId, more }));
      }
    }
    const count = values.length * 3;
    const asked = async (): Promise<number> =>
      (family(await readMetrics(lab), 'companion_hook_total')['asks'] ?? 0) - asksBefore;
    await until('all asked', async () => (await asked()) >= count).catch(() => undefined);
    const drops = family(await readMetrics(lab), 'companion_drops_total');
    const moved = Object.keys(drops).filter((kind) => drops[kind] !== metricsBefore[kind]);
    figure('evapi hostile', { sent: count, asked: await asked(), moved });
    expect(await asked()).toBe(count);
    expect(moved.filter((kind) => !kind.startsWith('unreadable-'))).toEqual([]);
    expect(await connected()).toBe(true);
  });

  test('whoever else connects gets nothing and is not obeyed, also before companion is there', async () => {
    const died = kill(lab, 'companion');
    // the slots before companion's
    const spies = await Promise.all([openEvapi(lab), openEvapi(lab), openEvapi(lab)]);
    await died;
    await until('connected again', connected);
    const bad = await door.counter('bad_frame');
    const good = spies[2]!;
    good.write(toEvapi(encodeVerdict(WRONG, 1, 1, 'drop')));
    good.write(toEvapi(Buffer.from(`CV1 ${WRONG} H `)));
    good.write(toEvapi(Buffer.from(`CV9 ${lineOf(lab).down} H `)));
    good.write(toEvapi(Buffer.from('{"jsonrpc":"2.0","method":"core.kill"}')));
    await until('counted', async () => (await door.counter('bad_frame')) === bad + 4);
    const replies = [];
    for (let n = 0; n < 10; n += 1) replies.push(await (await phone('x', `127.83.6.${n + 1}`)).request(options));
    const customer = await (await phone('s2', '127.83.6.200')).register();
    // leaving opens no breaker: the connection was not companion's
    const asks = await door.counter('ask');
    spies[0]!.close();
    await sleep(20);
    await (await phone('x', '127.83.6.201')).request(options);
    const asked = (await door.counter('ask')) - asks;
    const stolen = spies.map((spy) => spy.bytesIn());
    // another address of this machine is turned away at the door
    const elsewhere = await openEvapi(lab, undefined, '127.83.6.9');
    await until('closed', () => elsewhere.ended);
    for (const spy of spies) spy.close();
    figure('evapi strangers', { stolen, worstMs: Math.max(...replies.map(({ ms }) => ms)), asked });
    expect(stolen).toEqual([0, 0, 0]);
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 407));
    expect(Math.max(...replies.map(({ ms }) => ms))).toBeLessThan(300);
    expect(customer.status).toBe(200);
    expect(asked).toBe(1);
    expect(await door.counter('evapi_refused')).toBe(1);
  });
});
