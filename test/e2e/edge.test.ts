/** Kamailio before a PBX: shows 1, 2 and 3 in edge mode, with a second real Kamailio as the PBX. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPhone } from '../../src/lab/index.ts';
import type { Phone } from '../../src/lab/index.ts';
import { unasked } from './kit/asked.ts';
import { figure, logOf, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { METHODS, expectNothingLearned, expectSvcrackBlind, expectSvwarBlind } from './kit/learned.ts';
import { expectOfficeUnharmed } from './kit/office.ts';
import { openEdgeBed } from './kit/pbx.ts';
import type { EdgeBed } from './kit/pbx.ts';
import { EVERY_METHOD, callUp, routeTricks } from './kit/route-tricks.ts';
import { scanTcp, scanUdp } from './kit/scanner.ts';
import { requestText, statusOf, token } from './kit/sip-text.ts';
import { extensions } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { expectUnharmed } from './kit/under-flood.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const HOST = '127.83.30.1';
const BLIND = '127.83.40.1';
const BAN_LOOPBACK = 'decide: {ban_private: true}\n';
const MARKS_OFF = 'detect: {scanner_agent: {enabled: false}, scanner_fingerprint: {enabled: false}}\n';
const OFFICE = extensions(200, 259, (name) => `pw-${name}`);
/** Somebody changed its password and did not tell the phone. */
const FORGETFUL = '259';
/** A third of what is scanned exists. */
const SCANNED = extensions(100, 149, (name) => `right-${name}`);
const TARGETS = Object.keys(extensions(100, 250, String));
const USERS = { alice: 'secret', bob: 'secret', carol: 'secret', dora: 'secret', ...OFFICE, ...SCANNED };
const SINK = { ip: '127.83.39.9', port: 5_099 };

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
)('before a PBX', () => {
  let bed: EdgeBed;
  /** Where nobody is recognised by the marks of a tool: only what a scanner does counts. */
  let blind: EdgeBed;
  const open: Ua[] = [];
  const phone = async (
    user: string,
    from: string,
    transport: 'udp' | 'tcp' = 'udp',
    password = 'secret',
  ): Promise<Ua> => {
    const ua = await createUa({ server: `${HOST}:15060`, from, user, password, transport, deadlineMs: 8_000 });
    open.push(ua);
    return ua;
  };

  beforeAll(async () => {
    [bed, blind] = await Promise.all([
      openEdgeBed({ sip: `${HOST}:15060`, users: USERS, yaml: BAN_LOOPBACK }, '127.83.30.2'),
      openEdgeBed({ sip: `${BLIND}:15060`, users: USERS, yaml: BAN_LOOPBACK + MARKS_OFF }, '127.83.40.2'),
    ]);
  });
  afterAll(async () => {
    for (const ua of open) ua.close();
    await Promise.all([bed?.stop(), blind?.stop()]);
  });

  test('phones register with the PBX and call each other; ours is the first challenge, the PBX sees no answer to it', async () => {
    const alice = await phone('alice', '127.83.31.1');
    const bob = await phone('bob', '127.83.31.2', 'tcp');
    const registered = [(await alice.register()).status, (await bob.register()).status];
    expect(registered).toEqual([200, 200]);
    // our challenge, the PBX's, and in
    expect(alice.transactions.map(({ status }) => status)).toEqual([401, 401, 200]);
    expect(alice.transactions[1]!.text).toContain('stale=true');
    const ours = /nonce="([^"]+)"/.exec(alice.transactions[0]!.text)![1]!;
    expect(bed.pbx.saw().join('\n')).not.toContain(ours);
    const calls = [await alice.call('bob'), await bob.call('alice')];
    expect(calls.map(({ invite, bye }) => [invite.status, bye.status])).toEqual([
      [200, 200],
      [200, 200],
    ]);
    // known: the next time nobody of ours asks
    const again = alice.transactions.length;
    expect((await alice.register()).status).toBe(200);
    expect(alice.transactions.length - again).toBeLessThanOrEqual(2);
    await until('known-good', async () => (await bed.door.keys('companion_good')).size >= 2);
    bob.close();
  });

  test('60 phones behind one address register at once, and after a power cut; one has a wrong password', async () => {
    await expectOfficeUnharmed('edge: 60 phones', {
      bed,
      address: '127.83.37.20',
      users: OFFICE,
      forgetful: FORGETFUL,
      rounds: 3,
      roundMs: 2_500,
      powerCut: 2,
    });
  });

  /** What the PBX heard since, but for the phone that knows no better. */
  const heardOf = (lab: EdgeBed, from: number): readonly string[] =>
    lab.pbx
      .saw()
      .slice(from)
      .filter((line) => !line.includes(`username="${FORGETFUL}"`));

  test('svwar and svcrack, as they come and with --force, learn nothing; the PBX never hears of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-'));
    const words = join(folder, 'words.txt');
    writeFileSync(words, [...Array.from({ length: 30 }, (_, n) => `word${n}`), SCANNED['100']!].join('\n'));
    const before = bed.pbx.saw().length;
    const quarantinedOnly = async (lab: EdgeBed, ip: string): Promise<void> => {
      expect(await lab.why(ip)).toMatchObject({ state: 'quarantined', history: [] });
      expect(await lab.door.get('ipban', ip)).toBeUndefined();
    };
    try {
      await Promise.all([
        expectSvwarBlind(
          'edge: svwar',
          bed,
          (run) => `127.83.32.${10 + run}`,
          '100-199',
          async ({ ip }) => quarantinedOnly(bed, ip),
        ),
        expectSvwarBlind(
          'edge: svwar unmarked',
          blind,
          (run) => `127.83.42.${10 + run}`,
          '100-199',
          async (relay) => {
            if (relay.sent.length > 100) await quarantinedOnly(blind, relay.ip);
          },
        ),
        expectSvcrackBlind(bed, '127.83.33.10', '100', words, 'quarantined'),
      ]);
      expect(heardOf(bed, before)).toEqual([]);
      expect(blind.pbx.took()).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a scanner without marks gets identical challenges; over UDP it ends in quarantine, over TCP in a ban', async () => {
    const before = blind.pbx.saw().length;
    await Promise.all(
      METHODS.flatMap((method, index) => {
        const where = { server: blind.server, domain: blind.domain, method, targets: TARGETS, perSecond: 100 };
        const overUdp = async (): Promise<void> => {
          const from = `127.83.43.${10 + index}`;
          const { answers, sent } = await scanUdp({ ...where, from });
          figure(`edge: scanner ${method}`, { sent, answers: tally(answers.map(statusOf)) });
          expectNothingLearned(answers);
          expect(await blind.why(from)).toMatchObject({ state: 'quarantined', history: [] });
        };
        const overTcp = async (): Promise<void> => {
          const from = `127.83.44.${10 + index}`;
          // more than it takes: it ends when it is closed
          const targets = [...TARGETS, ...TARGETS];
          const { answers, sent, closedByServer, reconnectAnswers } = await scanTcp({ ...where, targets, from });
          figure(`edge: TCP scanner ${method}`, { sent, answers: tally(answers.map(statusOf)), closedByServer });
          expectNothingLearned(answers);
          expect([closedByServer, reconnectAnswers]).toEqual([true, 0]);
          expect((await blind.why(from)).state).toBe('banned');
        };
        return [overUdp(), overTcp()];
      }),
    );
    expect(heardOf(blind, before)).toEqual([]);
  });

  test('whoever guesses passwords answers the PBX from its own address: proven, banned, and nobody is let in', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 14; n += 1) {
      // the last ones are right, and come too late
      const guesser = await phone('carol', '127.83.33.1', 'udp', n < 11 ? `guess${n}` : 'secret');
      statuses.push((await guesser.register().catch(() => ({ status: 0 }))).status);
      if ((await bed.check('127.83.33.1')).state === 'banned') break;
    }
    const why = await bed.why('127.83.33.1');
    figure('edge: guessing', {
      statuses: tally(statuses),
      state: why.state,
      evidence: why.evidence.map(({ rule, tier }) => `${rule} ${tier}`).slice(0, 4),
    });
    expect(statuses).not.toContain(200);
    expect(why.evidence.some(({ rule, tier }) => rule.startsWith('digest.') && tier === 'proven')).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)(
    "10,000 datagrams of every kind in a customer's name, registered or about to be: unharmed, nothing paid, nothing let in",
    async () => {
      const [alice, dora, bob] = [
        await phone('alice', '127.83.35.7'),
        await phone('dora', '127.83.36.7'),
        await phone('bob', '127.83.38.8'),
      ];
      expect([(await alice.register()).status, (await bob.register()).status]).toEqual([200, 200]);
      const [saw, took] = [bed.pbx.saw().length, bed.pbx.took().length];
      await Promise.all([
        expectUnharmed(bed, alice, { beforeMs: 500 }),
        // its first registration falls inside the flood
        expectUnharmed(bed, dora, { beforeMs: 2_000 }),
      ]);
      // all Call-IDs of our phones are 16 hexadecimal digits, none of the forged ones is
      const own = /^\w+ [0-9a-f]{16}$/;
      const strange = bed.pbx
        .saw()
        .slice(saw)
        .filter((line) => !/ ci=[0-9a-f]{16}$/.test(line));
      figure('edge: forged', { 'forged, to the PBX': strange.length });
      expect(
        bed.pbx
          .took()
          .slice(took)
          .filter((line) => !own.test(line)),
      ).toEqual([]);
      const rung = bob.incoming.map((text) => /^Call-ID: (.*)\r$/m.exec(text)?.[1] ?? '');
      expect(rung.filter((callId) => !/^[0-9a-f]{16}$/.test(callId))).toEqual([]);
    },
  );

  test('whatever To-tag, Routes and stolen proofs say, nothing leads past the PBX', async () => {
    const [alice, bob] = [await phone('alice', '127.83.31.11'), await phone('bob', '127.83.31.12')];
    expect([(await alice.register()).status, (await bob.register()).status]).toEqual([200, 200]);
    const sink = await openUdp(SINK.ip, bed.server, SINK.port);
    const call = await callUp(alice, 'bob', bed.domain);
    const answers: number[] = [];
    for (const [n, [name, trick]] of Object.entries(routeTricks(call, `${HOST}:15060`, SINK)).entries()) {
      const attacker = await openUdp(`127.83.39.${60 + n}`, bed.server);
      const uri = `sip:bob@${bed.domain}`;
      const base = { uri, from: `sip:alice@${bed.domain}`, to: uri, local: attacker.local, toTag: token() };
      for (const method of EVERY_METHOD) await attacker.send(requestText({ ...base, method, ...trick }));
      await sleep(120);
      const replies = attacker.received.filter(({ text }) => !text.startsWith('SIP/2.0 200 Keepalive'));
      const got = replies.map(({ text }) => statusOf(text));
      answers.push(...got);
      const strange = got.filter((status) => ![401, 407, 483].includes(status));
      const relayed = sink.received.map(({ text }) => text.split('\r\n')[0]!);
      expect({ name, relayed, strange }).toEqual({ name, relayed: [], strange: [] });
      attacker.close();
    }
    figure('edge: relay tricks', { answers: tally(answers) });
    expect((await call.request('BYE')).status).toBe(200);
    sink.close();
  });

  test("a nonce of the PBX's used from elsewhere proves nothing", async () => {
    const alice = await phone('alice', '127.83.31.5');
    const first = await alice.request({ method: 'REGISTER', uri: `sip:${HOST}` });
    expect(first.status).toBe(401);
    expect((await alice.register()).status).toBe(200);
    const nonce = /nonce="([^"]+)"/.exec(alice.transactions.at(-2)!.text)![1]!;
    const thief = await phone('alice', '127.83.34.1');
    const [seen, unaskedBefore] = [bed.pbx.saw().length, await unasked(bed)];
    const reply = await thief.request({
      method: 'REGISTER',
      uri: `sip:${HOST}`,
      headers: [
        `Authorization: Digest username="alice", realm="${HOST}", nonce="${nonce}", uri="sip:${HOST}", response="${'0'.repeat(32)}"`,
      ],
    });
    expect(reply.status).toBe(401);
    const wentOn = (await unasked(bed)) - unaskedBefore;
    expect(bed.pbx.saw().length - seen).toBeLessThanOrEqual(wentOn);
    expect((await alice.register()).status).toBe(200);
    expect((await bed.check('127.83.34.1')).state).not.toBe('banned');
  });

  test('Kamailio has nothing to complain about', async () => {
    for (const lab of [bed, blind]) {
      expect(await lab.door.counter('bad_frame')).toBe(0);
      expect(await lab.door.counter('ask_lost')).toBe(0);
      expect(
        logOf(lab.lab, 'kamailio')
          .split('\n')
          .filter((line) => /CRITICAL|BUG/.test(line)),
      ).toEqual([]);
    }
  });
});

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('before a PBX over IPv6', () => {
  test('phones register, a wrong password is no customer, and a scan beside them learns nothing', async () => {
    const lab = await openEdgeBed({ sip: '[::1]:15091', users: { alice: 'secret', bob: 'secret' } }, '::1');
    const phoneOf = async (user: string, password: string): Promise<Phone> =>
      createPhone({ server: lab.server, domain: lab.domain, user, password, from: '::1', everyMs: 1_000 });
    const phones = await Promise.all([
      phoneOf('alice', 'secret'),
      phoneOf('bob', 'secret'),
      phoneOf('bob', 'last-year'),
    ]);
    try {
      const [alice, bob, wrong] = phones as [Phone, Phone, Phone];
      const statuses = [await alice.register(), await bob.register(), await wrong.register()].map(
        ({ status }) => status,
      );
      expect(statuses).toEqual([200, 200, 401]);
      const known = [...(await lab.door.keys('companion_good')).keys()];
      expect(known.filter((key) => /^::1:\d+:[0-9a-f]{32}$/.test(key))).toHaveLength(2);
      const before = lab.pbx.saw().length;
      const scan = { from: '::1', server: lab.server, domain: lab.domain, method: 'REGISTER', perSecond: 200 };
      const { answers } = await scanUdp({ ...scan, targets: TARGETS.slice(0, 60), agent: 'friendly-scanner' });
      expectNothingLearned(answers);
      expect((await lab.check('::1')).state).toBe('quarantined');
      expect(lab.pbx.saw().length).toBe(before);
      expect((await alice.register()).status).toBe(200);
    } finally {
      await Promise.all(phones.map(async (phone) => phone.stop()));
      await lab.stop();
    }
  });
});
