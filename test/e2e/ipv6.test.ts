/** An IPv6 source is its /64, and keys are what Kamailio prints: Show line 7. Networks in lists, for v4 as well. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identityKey } from '../../src/enforce/kamailio/keys.ts';
import { identityOf } from '../../src/model/index.ts';
import { addAddresses } from './kit/addresses.ts';
import { figure, operate, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { openTcp } from './kit/scanner.ts';
import { requestText, shapesOf, statusOf } from './kit/sip-text.ts';
import { expectPlausible } from './kit/plausible.ts';
import { extensions, openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const USERS = extensions(100, 119, (name) => `pw-${name}`);
const BAN_LOOPBACK = 'decide: {ban_private: true}\n';

/** A first REGISTER, as any phone sends it. @returns the status of the answer, 0 for silence */
const knock = async (bed: Testbed, ip: string, user = '100', agent?: string): Promise<number> => {
  const client = await openUdp(ip, bed.server);
  const aor = `sip:${user}@${bed.domain}`;
  const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local };
  const text = requestText({ ...parts, ...(agent === undefined ? {} : { agent }) });
  const answer = await client.ask(text, { withinMs: 250 });
  client.close();
  return statusOf(answer ?? '');
};

const knockTcp = async (bed: Testbed, ip: string, agent?: string): Promise<number> => {
  const client = await openTcp({ from: ip, server: bed.server });
  if (client === undefined) return 0;
  const aor = `sip:100@${bed.domain}`;
  const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local };
  client.send(requestText({ ...parts, transport: 'TCP', ...(agent === undefined ? {} : { agent }) }));
  await until('answered or closed', () => client.received.length > 0 || client.closedAt() !== undefined, 300).catch(
    () => undefined,
  );
  client.close();
  return statusOf(client.received[0] ?? '');
};

const AUTHOR = { author: 'test' };
const ban = async (bed: Testbed, subject: string): Promise<unknown> =>
  operate(bed.lab, 'ban.add', { subject, reason: 'test', ...AUTHOR });
const list = async (bed: Testbed, kind: 'allow' | 'deny', subject: string): Promise<unknown> =>
  operate(bed.lab, `${kind}.add`, { subject, note: 'test', ...AUTHOR });

/** Knocks until the answer is as wanted: the change has reached Kamailio. */
const expectAnswer = async (bed: Testbed, ip: string, status: number): Promise<void> => {
  await until(`${ip} gets ${status}`, async () => (await knock(bed, ip)) === status, 3_000);
};

const NEEDS = ['kamailio', 'kamailio-extra-modules', 'kamailio-utils-modules', 'kamailio-sqlite-modules'] as const;

requires(
  ...NEEDS,
  'ip',
  'permission to add IPv6 addresses to lo',
)('IPv6', () => {
  const NET = 'fd00:81:0:1::';
  const scanners = Array.from({ length: 20 }, (_, index) => `${NET}${(index + 0x10).toString(16)}`);
  /** Runs of zeros where they are hard to read, each with a neighbour in the same /64. */
  const odd: readonly (readonly [ip: string, neighbour: string])[] = [
    ['fd00:81:0:2::5', 'fd00:81:0:2:a:b:c:d'],
    ['fd00:81::5', 'fd00:81:0:0:1:2:3:4'],
    ['fd00:0:0:1:2:3:4:5', 'fd00:0:0:1::7'],
    ['fd00:0:0:2::5', 'fd00:0:0:2:0:0:1:0'],
    ['fdca::5', 'fdca:0:0:0:1:0:0:5'],
    ['fd00:0:1:2:3:4:5:6', 'fd00:0:1:2::6'],
    ['fd00:81:1::5', 'fd00:81:1:0:0:1:0:5'],
    ['fd00:81:1:0:1::5', 'fd00:81:1:0:1:2:3:0'],
    ['fd00:0:1:0:0:1:0:5', 'fd00:0:1::'],
    ['fd00:81:2:3:4:5:6:7', 'fd00:81:2:3::'],
    ['fd00:81:2:3:0:0:0:8', 'fd00:81:2:3:0:1:0:0'],
  ];
  let bed: Testbed;
  let removeAddresses: () => void = () => undefined;
  beforeAll(async () => {
    removeAddresses = addAddresses([...scanners, `${NET}99`, `${NET}9a`, ...odd.flat()]);
    bed = await openTestbed({ sip: '[::1]:15081', users: USERS, yaml: BAN_LOOPBACK });
  });
  afterAll(async () => {
    await bed?.stop();
    removeAddresses();
  });

  test('one scan from 20 addresses of a /64 is one scan', async () => {
    const clients = await Promise.all(scanners.map(async (ip) => openUdp(ip, bed.server)));
    // eight names from each address: far too few to notice, were they alone
    for (let name = 0; name < 160; name += 1) {
      const client = clients[name % clients.length]!;
      const aor = `sip:${100 + name}@${bed.domain}`;
      const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local };
      await client.send(requestText(parts));
      await new Promise((resolve) => {
        setTimeout(resolve, 12);
      });
    }
    const key = identityKey(identityOf(NET));
    expect(key).toBe('fd00008100000001');
    await until('quarantined', async () => (await bed.door.get('companion_state', `q${key}`)) !== undefined, 2_000);
    const why = await bed.why(`${NET}12`);
    const answers = clients.flatMap(({ received }) => received.map(({ text }) => text));
    figure('scan of a /64', { state: why.state, rule: why.reason, answers: tally(answers.map(statusOf)) });
    expect(why).toMatchObject({ state: 'quarantined', identity: 'fd00:81:0:1::/64', history: [] });
    const sameSender = answers.map((text) => text.replaceAll(/fd00:81:0:1::\w+/g, 'A'));
    expect([...shapesOf(sameSender.map((text) => text.replace(/\[A\]:\d+/, 'A'))).values()]).toHaveLength(1);
    expect((await bed.why('fd00:81:0:2::5')).state).toBe('stranger');
    for (const client of clients) client.close();
  });

  test('proven, it is a ban of the /64, and every address of it gets nothing', async () => {
    await knockTcp(bed, `${NET}99`, 'friendly-scanner');
    await until('banned', async () => (await bed.door.get('ipban', 'fd00008100000001')) !== undefined, 2_000);
    expect(await bed.why(`${NET}9a`)).toMatchObject({ state: 'banned' });
    expect([await knock(bed, `${NET}9a`), await knockTcp(bed, `${NET}9a`)]).toEqual([0, 0]);
    await operate(bed.lab, 'ban.remove', { subject: `${NET}77`, ...AUTHOR });
    await expectAnswer(bed, `${NET}9a`, 401);
  });

  test('a ban of an address is a ban of its /64, however Kamailio prints it', async () => {
    for (const [ip, neighbour] of odd) {
      expect({ ip, answer: await knock(bed, ip) }).toEqual({ ip, answer: 401 });
      await ban(bed, ip);
      const key = identityKey(identityOf(ip));
      await until(`ipban ${key}`, async () => (await bed.door.get('ipban', key)) !== undefined, 2_000);
      const answers = [await knock(bed, ip), await knock(bed, neighbour), await knockTcp(bed, neighbour)];
      expect({ ip, answers }).toEqual({ ip, answers: [0, 0, 0] });
      await operate(bed.lab, 'ban.remove', { subject: neighbour, ...AUTHOR });
      await expectAnswer(bed, neighbour, 401);
    }
    figure('addresses with runs of zeros', { tried: odd.length });
  });

  test('networks: a /48 and a /44 are banned, an allowed /64 inside passes', async () => {
    await ban(bed, 'fd00:81::/48');
    await expectAnswer(bed, 'fd00:81::5', 0);
    await expectAnswer(bed, 'fd00:81:0:2::5', 0);
    expect(await knock(bed, 'fd00:81:1::5')).toBe(401);
    await list(bed, 'allow', 'fd00:81:0:2::/64');
    await expectAnswer(bed, 'fd00:81:0:2:a:b:c:d', 401);
    expect(await knock(bed, 'fd00:81::5')).toBe(0);
    await operate(bed.lab, 'ban.remove', { subject: 'fd00:81::/48', ...AUTHOR });
    await expectAnswer(bed, 'fd00:81::5', 401);

    await list(bed, 'deny', 'fd00:80::/28');
    await expectAnswer(bed, 'fd00:81:1::5', 0);
    expect(await knock(bed, 'fdca::5')).toBe(401);
    await operate(bed.lab, 'deny.remove', { subject: 'fd00:80::/28', ...AUTHOR });
    await expectAnswer(bed, 'fd00:81:1::5', 401);
  });

  test('Kamailio has nothing to complain about', async () => {
    expect(bed.complaints()).toEqual([]);
    await expectPlausible(bed);
  });
});

requires(...NEEDS)('networks of IPv4', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await openTestbed({ sip: '127.81.10.1:15060', users: USERS, yaml: BAN_LOOPBACK });
  });
  afterAll(async () => {
    await bed?.stop();
  });

  test('a banned /20 is 16 keys, and ends where it ends', async () => {
    await ban(bed, '127.81.144.0/20');
    await expectAnswer(bed, '127.81.144.1', 0);
    const keys = [...(await bed.door.keys('companion_net')).keys()];
    expect(keys.sort()).toEqual(Array.from({ length: 16 }, (_, step) => `d127.81.${144 + step}`).sort());
    const answers = await Promise.all(
      ['127.81.159.250', '127.81.150.7', '127.81.143.255', '127.81.160.1'].map(async (ip) => knock(bed, ip)),
    );
    expect(answers).toEqual([0, 0, 401, 401]);
    expect(await knockTcp(bed, '127.81.150.8')).toBe(0);
    expect(await operate(bed.lab, 'check', { ip: '127.81.150.7' })).toMatchObject({ result: 'blocked' });
    await operate(bed.lab, 'ban.remove', { subject: '127.81.144.0/20', ...AUTHOR });
    await expectAnswer(bed, '127.81.150.7', 401);
    expect((await bed.door.keys('companion_net')).size).toBe(0);
  });

  test('an allowed network and an allowed address inside a denied one pass', async () => {
    await list(bed, 'deny', '127.81.176.0/20');
    await expectAnswer(bed, '127.81.180.1', 0);
    await list(bed, 'allow', '127.81.181.0/24');
    await list(bed, 'allow', '127.81.182.7');
    await expectAnswer(bed, '127.81.181.9', 401);
    await expectAnswer(bed, '127.81.182.7', 401);
    expect([await knock(bed, '127.81.180.1'), await knock(bed, '127.81.182.8')]).toEqual([0, 0]);
    expect(await operate(bed.lab, 'check', { ip: '127.81.181.9' })).toMatchObject({ result: 'allowed' });
    // a known-good phone is spared a ban, a denied one is not looked at
    expect(await knockTcp(bed, '127.81.181.9')).toBe(401);
    expect(bed.complaints()).toEqual([]);
  });
});
