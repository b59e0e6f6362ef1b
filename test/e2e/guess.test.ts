/** Nobody guesses a password: Show line 1, guessing. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figure, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { guessUdp } from './kit/guesser.ts';
import type { Guess } from './kit/guesser.ts';
import { expectSvcrackBlind } from './kit/learned.ts';
import { openTcp } from './kit/scanner.ts';
import { requestText, shapesOf, statusOf } from './kit/sip-text.ts';
import { runSipp } from './kit/sipp.ts';
import { expectAnswered, expectPlausible } from './kit/plausible.ts';
import { extensions, openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { openUdp } from './kit/udp-client.ts';
import { createUa } from './kit/ua.ts';
import { requires } from './requirements.ts';

const NET = '127.81.3';
const USERS = extensions(100, 149, (name) => `right-${name}`);
const BAN_LOOPBACK = 'decide: {ban_private: true}\n';
const MARKS_OFF = 'detect: {scanner_agent: {enabled: false}, scanner_fingerprint: {enabled: false}}\n';

/** Wrong passwords, and the right one after so many. */
const wordsOf = (user: string, right: number): string[] => [
  ...Array.from({ length: right }, (_, index) => `word${index}`),
  USERS[user]!,
];
const guessesOf = (user: string, right: number): Guess[] =>
  wordsOf(user, right).map((password) => ({ user, password }));

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
  'sipp',
)('guessing passwords', () => {
  const folder = mkdtempSync(join(tmpdir(), 'guess-'));
  const words = join(folder, 'words.txt');
  let bed: Testbed;
  let blind: Testbed;
  beforeAll(async () => {
    writeFileSync(words, wordsOf('100', 40).join('\n'));
    [bed, blind] = await Promise.all([
      openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: BAN_LOOPBACK }),
      openTestbed({ sip: '127.81.4.1:15060', users: USERS, yaml: BAN_LOOPBACK + MARKS_OFF }),
    ]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await Promise.all([bed?.stop(), blind?.stop()]);
  });

  const banned = async (lab: Testbed, ip: string): Promise<void> => {
    await until('banned', async () => (await lab.why(ip)).state === 'banned');
    const why = await lab.why(ip);
    expect(why.evidence.some(({ tier }) => tier === 'proven')).toBe(true);
    await until('pushed', async () => (await lab.door.get('ipban', ip)) !== undefined);
    expect(await lab.door.get('ipban', ip)).toMatch(/^companion:1:digest/);
  };

  test.concurrent('svcrack finds nothing: known by its marks it is not even challenged', async () => {
    const runs = [
      { lab: bed, ip: `${NET}.10`, state: 'quarantined' },
      // without its marks it is an oddity: its credentials (qop without cnonce) can never be right
      { lab: blind, ip: '127.81.4.10', state: 'stranger' },
    ];
    await Promise.all(runs.map(async ({ lab, ip, state }) => expectSvcrackBlind(lab, ip, '100', words, state)));
  });

  test.concurrent('a guesser without marks does not get to the right password, is throttled, then banned', async () => {
    const client = await openUdp(`${NET}.20`, bed.server);
    const throttleKey = `u${client.ip}:${client.port}:${createHash('md5').update('101').digest('hex')}`;
    // each on a challenge of its own: several passwords for one would be banned at once
    const first = await guessUdp(client, bed.domain, guessesOf('101', 5).slice(0, 5), 1_100);
    expect(first.answered.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    await until('pushed', async () => (await bed.door.get('companion_state', throttleKey)) === 1);
    expect((await bed.why(client.ip)).state).not.toBe('banned');
    const rest = await guessUdp(client, bed.domain, guessesOf('101', 40).slice(5));
    client.close();
    figure('guesser of one user over UDP', {
      answered: first.answered.length + rest.answered.length,
      unanswered: rest.unanswered,
      state: (await bed.why(client.ip)).state,
    });
    expect([...first.found, ...rest.found]).toEqual([]);
    await banned(bed, client.ip);
  });

  test.concurrent('who tries several passwords on one challenge is banned for that alone', async () => {
    const client = await openUdp(`${NET}.24`, bed.server);
    const { answered, found } = await guessUdp(client, bed.domain, guessesOf('103', 30));
    client.close();
    figure('guesser in a hurry over UDP', { answered: answered.length });
    expect(found).toEqual([]);
    await banned(bed, client.ip);
    const { evidence } = await bed.why(client.ip);
    expect(evidence.map(({ text }) => text).join('\n')).toContain('in answer to one challenge');
  });

  test.concurrent('the throttle of one user at one address touches nobody else', async () => {
    const ip = `${NET}.21`;
    const office = await createUa({ server: `${NET}.1:15060`, from: ip, user: '110', password: USERS['110']! });
    expect((await office.register()).status).toBe(200);
    const client = await openUdp(ip, bed.server);
    const { found } = await guessUdp(client, bed.domain, guessesOf('111', 30));
    expect(found).toEqual([]);
    expect((await bed.why(ip)).state).not.toBe('banned');
    // the owner of the guessed name, elsewhere, and a colleague behind the same address
    const owner = await createUa({ server: `${NET}.1:15060`, from: `${NET}.22`, user: '111', password: USERS['111']! });
    const colleague = await createUa({ server: `${NET}.1:15060`, from: ip, user: '112', password: USERS['112']! });
    const replies = [await owner.register(), await colleague.register(), await office.register()];
    figure('customers beside a guesser', { registered: tally(replies.map(({ status }) => status)) });
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const ua of [office, owner, colleague]) ua.close();
    client.close();
  });

  test.concurrent('one password for many users is spraying, and banned', async () => {
    const client = await openUdp(`${NET}.30`, bed.server);
    const users = Object.keys(USERS);
    const guesses = users.map((user) => ({ user, password: user === '149' ? USERS[user]! : 'Sommer2024' }));
    const { answered, unanswered, found } = await guessUdp(client, bed.domain, guesses.slice(0, 20));
    const last = await guessUdp(client, bed.domain, guesses.slice(-1));
    client.close();
    figure('sprayer over UDP', { answered: answered.length, unanswered });
    expect([...found, ...last.found]).toEqual([]);
    await banned(bed, client.ip);
  });

  test.concurrent('users that do not exist, and existing ones, are refused alike', async () => {
    const client = await openUdp(`${NET}.31`, bed.server);
    const { answered } = await guessUdp(client, bed.domain, [
      { user: '120', password: 'wrong' },
      { user: '999', password: 'wrong' },
    ]);
    const replies = client.received.map(({ text }) => text);
    client.close();
    expect(answered.map(({ status }) => status)).toEqual([401, 401]);
    expect(shapesOf(replies).size).toBe(1);
  });

  test.concurrent('sipp over TCP: banned, the connection is closed, the right password comes too late', async () => {
    // where sipp is not known by its marks: guessing alone gives it away
    const ip = '127.81.4.40';
    const rows = wordsOf('103', 120).map((password) => ['103', `[authentication username=103 password=${password}]`]);
    const sipp = { scenario: 'guess', server: blind.server, from: ip, transport: 't1', rows, perSecond: 10 } as const;
    const { code, answers } = await runSipp({ ...sipp, deadlineMs: 14_000 });
    figure('sipp guessing over TCP', { code, answers: tally(answers.map(statusOf)) });
    // 407: to the BYE with which sipp gives up a call; 503: the throttle of a user, over connections
    expect(answers.map(statusOf).filter((status) => ![401, 407, 503].includes(status))).toEqual([]);
    expect(answers.filter((text) => statusOf(text) === 503 && !/^Retry-After: \d+\r?$/m.test(text))).toEqual([]);
    await banned(blind, ip);
    const client = await openTcp({ from: ip, server: blind.server });
    const aor = `sip:103@${blind.domain}`;
    client?.send(
      requestText({ method: 'REGISTER', uri: `sip:${blind.domain}`, from: aor, to: aor, local: client.local }),
    );
    await sleep(300);
    client?.close();
    expect(client?.received ?? []).toEqual([]);
  });

  test('Kamailio has nothing to complain about, and counts what it did', async () => {
    expect(bed.complaints()).toEqual([]);
    // what svcrack 0.3.3 sends as credentials is broken, and Kamailio says so
    expect(blind.complaints().filter((line) => !line.includes('Credentials are not filled properly'))).toEqual([]);
    const counters = await expectPlausible(bed);
    expectAnswered(counters);
    expect(counters).toMatchObject({ banned: expect.any(Number), throttled_user: expect.any(Number) });
  });
});
