/** Whatever is sent in a customer's name, the customer is served, and nobody learns or relays: Show line 3. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { challengeOf, digestAnswer } from '../../src/lab/phone/digest-answer.ts';
import { figure } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { expectAnswered, expectPlausible } from './kit/plausible.ts';
import { requestText, shapesOf, statusOf, token } from './kit/sip-text.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { expectUnharmed } from './kit/under-flood.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const NET = '127.81.8';
const USERS = { alice: 'wonderland', bob: 'builder', carol: 'singer', dave: 'diver' };

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'root',
)('forged datagrams', () => {
  let bed: Testbed;
  let bob: Ua;
  beforeAll(async () => {
    bed = await openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: 'decide: {ban_private: true}\n' });
    bob = await createUa({ server: bed.lab.ready.sip, from: `${NET}.21`, user: 'bob', password: USERS.bob });
    expect((await bob.register()).status).toBe(200);
  });
  afterAll(async () => {
    bob?.close();
    await bed?.stop();
  });
  const customer = async (user: keyof typeof USERS, from: string): Promise<Ua> =>
    createUa({ server: bed.lab.ready.sip, from, user, password: USERS[user] });

  test('from the address and port of a registered customer: it registers and calls as ever', async () => {
    const alice = await customer('alice', `${NET}.20`);
    expect((await alice.register()).status).toBe(200);
    await expectUnharmed(bed, alice, { beforeMs: 500 });
    alice.close();
  });

  test('from the address of a customer whose first registration falls inside the flood', async () => {
    const carol = await customer('carol', `${NET}.22`);
    await expectUnharmed(bed, carol, { beforeMs: 3_000 });
    carol.close();
  });

  test('from a registered customer in its own name, as short as requests can be', async () => {
    const alice = await customer('alice', `${NET}.23`);
    expect((await alice.register()).status).toBe(200);
    const folder = mkdtempSync(join(tmpdir(), 'forged-'));
    try {
      const names = ['REGISTER', 'INVITE', 'OPTIONS', 'MESSAGE'].flatMap((method) =>
        Array.from({ length: 500 }, (_, index) => {
          const uri = method === 'REGISTER' ? `sip:${bed.domain}` : `sip:bob@${bed.domain}`;
          const aor = `<sip:alice@${bed.domain}>`;
          const lines = [
            `${method} ${uri} SIP/2.0`,
            `Via: SIP/2.0/UDP ${alice.local};branch=z9hG4bK${token()}`,
            `From: ${aor};tag=${index}`,
            `To: ${method === 'REGISTER' ? aor : `<${uri}>`}`,
            `Call-ID: ${index}${method}`,
            `CSeq: ${index} ${method}`,
          ];
          const file = join(folder, `${method}-${index}`);
          writeFileSync(file, `${lines.join('\r\n')}\r\n\r\n`);
          return file;
        }),
      );
      // what its own requests are answered, and the credit of a known-good phone (COMPANION_GOOD_CREDIT)
      await expectUnharmed(bed, alice, { beforeMs: 500, files: names, seconds: 5, freeBytes: 100_000 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
      alice.close();
    }
  });

  const parts = (local: string, user = 'dave') => ({
    method: 'REGISTER',
    uri: `sip:${bed.domain}`,
    from: `sip:${user}@${bed.domain}`,
    to: `sip:${user}@${bed.domain}`,
    local,
  });

  test('an answer on a nonce that another address fetched proves nothing, right or wrong', async () => {
    const fetcher = await openUdp(`${NET}.30`, bed.server);
    const victim = await openUdp(`${NET}.31`, bed.server);
    const replies: string[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const offer = challengeOf((await fetcher.ask(requestText(parts(fetcher.local)))) ?? '')!;
      // the last one is even right: somebody who listens to both, or shares the account
      const password = turn === 11 ? USERS.dave : `guess${turn}`;
      const claim = { user: 'dave', password, method: 'REGISTER', uri: `sip:${bed.domain}`, count: 1 };
      const reply = await victim.ask(requestText({ ...parts(victim.local), more: [digestAnswer(offer, claim)] }));
      replies.push(reply ?? '');
    }
    figure('foreign nonces', { answers: tally(replies.map(statusOf)), state: (await bed.why(victim.ip)).state });
    expect(replies.map(statusOf)).toEqual(Array.from({ length: 12 }, () => 401));
    expect(replies.every((text) => challengeOf(text) !== undefined)).toBe(true);
    expect(shapesOf(replies).size).toBe(1);
    const why = await bed.why(victim.ip);
    expect(why.evidence.filter(({ tier }) => tier === 'proven')).toEqual([]);
    expect(why).toMatchObject({ state: 'stranger', history: [], users: [] });
    const known = [...(await bed.door.keys('companion_good')).keys()];
    expect(known.filter((key) => key.startsWith(`${victim.ip}:`))).toEqual([]);

    const dave = await customer('dave', victim.ip);
    expect((await dave.register()).status).toBe(200);
    for (const socket of [fetcher, victim, dave]) socket.close();
  });

  test('bogus credentials get the same challenge as none, and nobody is banned for them', async () => {
    const attacker = await openUdp(`${NET}.40`, bed.server);
    const nonce = challengeOf((await attacker.ask(requestText(parts(attacker.local)))) ?? '')!.nonce;
    const good = `username="dave", realm="${bed.realm}", nonce="${nonce}", uri="sip:${bed.domain}"`;
    const bogus = [
      'Authorization: ',
      'Authorization: Digest',
      'Authorization: Basic ZGF2ZTpkaXZlcg==',
      'Authorization: Digest username="dave"',
      `Authorization: Digest ${good}`,
      `Authorization: Digest ${good}, response=""`,
      `Authorization: Digest ${good}, response="${'0'.repeat(32)}", qop=auth`,
      `Authorization: Digest ${good}, response="${'0'.repeat(32)}", algorithm=SHA-512`,
      `Authorization: Digest ${good.replace(nonce, 'AAAA')}, response="${'0'.repeat(32)}"`,
      `Authorization: Digest ${good.replace(nonce, '')}, response="${'0'.repeat(32)}"`,
      `Authorization: Digest ${good.replace(bed.realm, 'elsewhere.example')}, response="${'0'.repeat(32)}"`,
      `Authorization: Digest ${good.replace('dave', 'x'.repeat(1_000))}, response="${'0'.repeat(32)}"`,
      `Proxy-Authorization: Digest ${good}, response="${'0'.repeat(32)}"`,
      `Authorization: ${'Digest '.repeat(100)}`,
    ];
    const answers: number[] = [];
    for (const header of bogus) {
      const callId = token();
      const text = requestText({ ...parts(attacker.local), callId, more: [header] });
      const reply = await attacker.ask(text, { withinMs: 600, fits: (answer) => answer.includes(callId) });
      answers.push(statusOf(reply ?? ''));
    }
    figure('bogus credentials', { answers: tally(answers), state: (await bed.why(attacker.ip)).state });
    expect(answers.filter((status) => status !== 401 && status !== 0)).toEqual([]);
    expect(shapesOf(attacker.received.map(({ text }) => text.replace(', stale=true', ''))).size).toBe(1);
    expect(await bed.why(attacker.ip)).toMatchObject({ history: [] });
    expect((await bed.door.keys('ipban')).size).toBe(0);
    attacker.close();

    // SQL for a user is more than bogus: on a nonce of its own it is proven. It gets nothing else for it
    const injector = await openUdp(`${NET}.41`, bed.server);
    const its = challengeOf((await injector.ask(requestText(parts(injector.local)))) ?? '')!.nonce;
    const sql = good.replace('dave', "' OR 1=1 --").replace(nonce, its);
    const callId = token();
    const header = `Authorization: Digest ${sql}, response="${'0'.repeat(32)}"`;
    const text = requestText({ ...parts(injector.local), callId, more: [header] });
    const reply = await injector.ask(text, { withinMs: 600, fits: (answer) => answer.includes(callId) });
    expect([0, 401]).toContain(statusOf(reply ?? ''));
    expect((await bed.why(injector.ip)).evidence.every(({ tier }) => tier === 'proven')).toBe(true);
    injector.close();
  });

  test('nothing of all that hurt Kamailio', async () => {
    expectAnswered(await expectPlausible(bed));
    const complaints = bed.complaints().map((line) => line.replace(/^.*?(?:ERROR|CRITICAL|BUG): (?:\{[^}]*\} )?/, ''));
    figure('complaints about hostile bytes', {
      lines: complaints.length,
      kinds: tally(complaints.map((line) => line.slice(0, 60))),
    });
    expect(complaints.filter((line) => /memory|buffer|mutex|timeout|cfg|lvalue|fail.*suspend/i.test(line))).toEqual([]);
    const { share } = await bed.door.memory();
    expect(share).toBeGreaterThan(0.2);
  });
});
