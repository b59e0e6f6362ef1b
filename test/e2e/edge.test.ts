/** Kamailio before a PBX: shows 1, 2 and 3 in edge mode, with a second real Kamailio as the PBX. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import type { CheckReport, StatusReport, WhyReport } from '../../src/model/index.ts';
import { figure, logOf, operate, until } from './kit/companion.ts';
import { openDoor } from './kit/door.ts';
import type { Door } from './kit/door.ts';
import { forge } from './kit/forge.ts';
import { startPbx } from './kit/pbx.ts';
import type { Pbx } from './kit/pbx.ts';
import { scanUdp } from './kit/scanner.ts';
import { requestText, shapesOf, statusOf } from './kit/sip-text.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { requires } from './requirements.ts';

const HOST = '127.83.30.1';
const SIP = `${HOST}:15060`;
const SERVER = { ip: HOST, port: 15_060 };

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('before a PBX', () => {
  let lab: Lab;
  let pbx: Pbx;
  let door: Door;
  const open: Ua[] = [];
  const phone = async (
    user: string,
    from: string,
    transport: 'udp' | 'tcp' = 'udp',
    password = 'secret',
  ): Promise<Ua> => {
    const ua = await createUa({ server: SIP, from, user, password, transport, deadlineMs: 8_000 });
    open.push(ua);
    return ua;
  };

  beforeAll(async () => {
    lab = await startLab({ sip: SIP, users: 'alice:secret,bob:secret,carol:secret' });
    pbx = await startPbx(lab, '127.83.30.2', HOST);
    door = openDoor(lab);
    await until('connected', async () => (await operate<StatusReport>(lab, 'status')).nodes[0]?.state === 'connected');
    await sleep(1_000);
  });
  afterAll(async () => {
    for (const ua of open) ua.close();
    await pbx?.stop();
    await lab?.stop();
  });

  test('phones register with the PBX and call each other; ours is the first challenge, the PBX sees no answer to it', async () => {
    const alice = await phone('alice', '127.83.31.1');
    const bob = await phone('bob', '127.83.31.2', 'tcp');
    const registered = [(await alice.register()).status, (await bob.register()).status];
    figure('edge', { registered, transactions: alice.transactions.map(({ status }) => status), saw: pbx.saw().length });
    expect(registered).toEqual([200, 200]);
    // our challenge, the PBX's, and in
    expect(alice.transactions.map(({ status }) => status)).toEqual([401, 401, 200]);
    expect(alice.transactions[1]!.text).toContain('stale=true');
    const ours = /nonce="([^"]+)"/.exec(alice.transactions[0]!.text)![1]!;
    expect(pbx.saw().join('\n')).not.toContain(ours);
    const calls = [await alice.call('bob'), await bob.call('alice')];
    expect(calls.map(({ invite, bye }) => [invite.status, bye.status])).toEqual([
      [200, 200],
      [200, 200],
    ]);
    // known: the next time nobody of ours asks
    const again = alice.transactions.length;
    expect((await alice.register()).status).toBe(200);
    expect(alice.transactions.length - again).toBeLessThanOrEqual(2);
    await until('known-good', async () => (await operate<StatusReport>(lab, 'status')).counts.good >= 2);
  });

  test('a scanner gets our challenge and nothing else; the PBX never hears of it', async () => {
    const registers = (): number => pbx.saw().filter((line) => line.includes(' REGISTER ')).length;
    const before = registers();
    const targets = ['alice', 'bob', ...Array.from({ length: 60 }, (_, n) => String(300 + n))];
    const scan = await scanUdp({
      from: '127.83.32.1',
      server: SERVER,
      domain: HOST,
      method: 'REGISTER',
      targets,
      perSecond: 200,
      agent: 'friendly-scanner',
    });
    const [usual, ...others] = shapesOf(scan.answers);
    expect([usual !== undefined, others]).toEqual([true, []]);
    expect(new Set(scan.answers.map(statusOf))).toEqual(new Set([401]));
    expect((await operate<CheckReport>(lab, 'check', { ip: '127.83.32.1' })).state).toBe('quarantined');
    expect(registers()).toBe(before);
  });

  test('whoever guesses passwords answers the PBX from its own address: proven, and banned', async () => {
    for (let n = 0; n < 14; n += 1) {
      const guesser = await phone('carol', '127.83.33.1', 'udp', `guess${n}`);
      await guesser.register().catch(() => undefined);
      if ((await operate<CheckReport>(lab, 'check', { ip: '127.83.33.1' })).state === 'banned') break;
    }
    const why = await operate<WhyReport>(lab, 'why', { ip: '127.83.33.1' });
    figure('edge guessing', {
      state: why.state,
      evidence: why.evidence.map(({ rule, tier }) => `${rule} ${tier}`).slice(0, 4),
    });
    expect(why.evidence.some(({ rule, tier }) => rule.startsWith('digest.') && tier === 'proven')).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)("5,000 datagrams forged in a customer's name cost it nothing", async () => {
    const alice = await phone('alice', '127.83.31.7');
    const callee = await phone('bob', '127.83.31.8');
    expect([(await alice.register()).status, (await callee.register()).status]).toEqual([200, 200]);
    const files = Array.from({ length: 40 }, (_, n) => {
      const uri = `sip:${HOST}`;
      const digest = `username="alice", realm="${HOST}", nonce="n${n}", uri="${uri}", response="${'0'.repeat(32)}", opaque=".${'0'.repeat(32)}"`;
      const more = n % 2 === 0 ? [] : [`Authorization: Digest ${digest}`];
      const aor = `sip:alice@${HOST}`;
      const file = join(lab.directory, `forged-${n}.sip`);
      writeFileSync(file, requestText({ method: 'REGISTER', uri, from: aor, to: aor, local: alice.local, more }));
      return file;
    });
    const forging = forge(SIP, 1_000, 5, alice.local, { files });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      statuses.push((await alice.register()).status, (await alice.call('bob')).invite.status);
      await sleep(700);
    }
    const { sent } = await forging;
    const why = await operate<WhyReport>(lab, 'why', { ip: '127.83.31.7' });
    figure('edge forged', {
      sent,
      statuses,
      state: why.state,
      tiers: [...new Set(why.evidence.map(({ tier }) => tier))],
    });
    expect(statuses).toEqual(statuses.map(() => 200));
    expect(why.evidence.filter(({ tier }) => tier === 'proven')).toEqual([]);
    expect((await operate<CheckReport>(lab, 'check', { ip: '127.83.31.7' })).result).toBe('clear');
  });

  test("a customer in whose name others forge keeps its registration; a nonce of the PBX's used elsewhere proves nothing", async () => {
    const alice = await phone('alice', '127.83.31.5');
    const first = await alice.request({ method: 'REGISTER', uri: `sip:${HOST}` });
    expect(first.status).toBe(401);
    expect((await alice.register()).status).toBe(200);
    const nonce = /nonce="([^"]+)"/.exec(alice.transactions.at(-2)!.text)![1]!;
    const thief = await phone('alice', '127.83.34.1');
    const seen = pbx.saw().length;
    const reply = await thief.request({
      method: 'REGISTER',
      uri: `sip:${HOST}`,
      headers: [
        `Authorization: Digest username="alice", realm="${HOST}", nonce="${nonce}", uri="sip:${HOST}", response="${'0'.repeat(32)}"`,
      ],
    });
    expect(reply.status).toBe(401);
    expect(pbx.saw().length).toBe(seen);
    expect((await alice.register()).status).toBe(200);
    expect((await operate<CheckReport>(lab, 'check', { ip: '127.83.34.1' })).state).not.toBe('banned');
    expect(await door.counter('bad_frame')).toBe(0);
    expect(
      logOf(lab, 'kamailio')
        .split('\n')
        .filter((line) => /CRITICAL|BUG/.test(line)),
    ).toEqual([]);
  });
});
