import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusReport } from '../../src/model/index.ts';
import { lineSecrets } from '../../src/system/index.ts';
import { startCluster } from './kit/cluster.ts';
import type { Cluster, ClusterServer } from './kit/cluster.ts';
import { command, figure, operate, readMetrics, residentMb, until } from './kit/companion.ts';
import { openHalfServer } from './kit/half-server.ts';
import type { Half, HalfServer } from './kit/half-server.ts';
import { requestText, statusOf } from './kit/sip-text.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

/** The deadline of an ask is 400 ms: whoever waits less was answered by companion. */
const ASKED_MS = 350;
/** A ban is in the table after some milliseconds; other tests may be running on the two cores. */
const BANNED_MS = 500;
/** Networks whose keys fill a queue: 128 keys each. */
const NETWORKS = 781;
const KEYS_OF_NETWORK = 128;
const MAX_QUEUED = 100_000;
const WITH_THEM = 200;
const HALVES: readonly Half[] = ['silent', 'refusing', 'nonsense', 'endless', 'half'];

requires(
  'kamailio',
  'kamailio-sqlite-modules',
  'kamailio-extra-modules',
)('several servers on one companion', () => {
  let cluster: Cluster;
  let half: HalfServer;
  let east: ClusterServer;
  let west: ClusterServer;
  let astray: ClusterServer;
  let strangers = 0;

  beforeAll(async () => {
    half = await openHalfServer();
    cluster = await startCluster(
      [
        { name: 'east', sip: '127.81.7.1:15060', secret: 'secret-of-the-east' },
        { name: 'west', sip: '127.81.7.2:15060', secret: 'secret-of-the-west' },
        { name: 'astray', sip: '127.81.7.3:15060', secret: 'as-companion-has-it' },
      ],
      [{ name: 'half', rpc: half.url }],
      (servers) => {
        // its operator has the secrets of another installation
        const { up, down } = lineSecrets('as-its-operator-has-it');
        const file = servers[2]!.secretFile;
        const text = readFileSync(file, 'utf8');
        writeFileSync(file, text.replace(/UP \S+/, `UP ${up}`).replace(/DOWN \S+/, `DOWN ${down}`));
      },
    );
    [east, west, astray] = cluster.servers as [ClusterServer, ClusterServer, ClusterServer];
    await cluster.connected('east', 'west');
  }, 40_000);
  afterAll(async () => {
    await cluster?.stop();
    await half?.close();
  });

  /** A stranger's REGISTER. @returns milliseconds to its challenge */
  const ask = async ({ server }: ClusterServer): Promise<number> => {
    strangers += 1;
    const client = await openUdp(`127.81.20.${strangers}`, server);
    const aor = `sip:alice@${server.ip}`;
    const began = performance.now();
    const answer = await client.ask(
      requestText({ method: 'REGISTER', uri: `sip:${server.ip}`, from: aor, to: aor, local: client.local }),
    );
    const ms = performance.now() - began;
    client.close();
    expect(statusOf(answer ?? '')).toBe(401);
    return ms;
  };
  const asks = async (server: ClusterServer): Promise<number> =>
    Number((await server.get('companion_meta', 'c.ask')) ?? 0);
  /** Asks so often; all are asked about and answered in time. @returns the median */
  const judged = async (server: ClusterServer, count = 11): Promise<number> => {
    await until(`${server.name} asks`, async () => {
      const before = await asks(server);
      await ask(server);
      return (await asks(server)) > before;
    });
    const [before, late] = [await asks(server), await server.get('companion_meta', 'c.ask_timeout')];
    const times: number[] = [];
    for (let n = 0; n < count; n += 1) times.push(await ask(server));
    times.sort((a, b) => a - b);
    expect(await asks(server)).toBe(before + count);
    expect(await server.get('companion_meta', 'c.ask_timeout')).toBe(late);
    const median = times[Math.floor(count / 2)]!;
    expect(median).toBeLessThan(ASKED_MS);
    return Math.round(median * 10) / 10;
  };
  const ban = async (subject: string): Promise<void> => {
    await operate(cluster, 'ban.add', { subject, durationMs: 3_600_000 });
  };
  /** Milliseconds from the order until the server holds it. */
  const banned = async (server: ClusterServer, subject: string): Promise<number> => {
    const began = performance.now();
    await ban(subject);
    await until(
      `${subject} banned on ${server.name}`,
      async () => (await server.get('ipban', subject)) !== undefined,
      5_000,
      2,
    );
    const ms = Math.round(performance.now() - began);
    expect(ms).toBeLessThan(BANNED_MS);
    return ms;
  };

  test('each has a secret of its own, in a file that companion writes for it', () => {
    for (const { secretFile } of [east, west]) {
      expect(existsSync(secretFile)).toBe(true);
      expect((statSync(secretFile).mode & 0o777).toString(8)).toBe('600');
    }
    expect(readFileSync(east.secretFile, 'utf8')).not.toBe(readFileSync(west.secretFile, 'utf8'));
  });

  test('a ban reaches all of them; each is asked for by its own name', async () => {
    const ms = { east: await banned(east, '198.51.100.1'), west: await banned(west, '198.51.100.2') };
    for (const server of [east, west])
      for (const subject of ['198.51.100.1', '198.51.100.2'])
        expect(await server.get('ipban', subject)).toMatch(/^companion:/);
    figure('two servers', { bannedMs: ms, askedEastMs: await judged(east), askedWestMs: await judged(west) });
  });

  test('one with the wrong secret is neither heard nor written to, and the others do not notice', async () => {
    await ask(astray);
    expect(await cluster.node('astray')).toMatchObject({ state: 'down', lastError: expect.stringContaining('token') });
    expect(await astray.count('ipban')).toBe(0);
    // it does not believe companion either: nobody is asked
    expect(await asks(astray)).toBe(0);
    figure('wrong secret', { bannedMs: await banned(east, '198.51.100.3'), askedMs: await judged(west) });
    const { stdout } = await command(cluster, 'status');
    expect(stdout).toMatch(/astray\s+down/);
    expect(stdout).toMatch(/east\s+connected/);
  });

  test('one cannot speak in the name of another', async () => {
    const up = /SECRET_UP (\S+)/.exec(readFileSync(west.secretFile, 'utf8'))![1]!;
    const drops = async (): Promise<number> => (await operate<StatusReport>(cluster, 'status')).drops['secret'] ?? 0;
    const [before, good] = [await drops(), (await operate<StatusReport>(cluster, 'status')).counts.good];
    const socket = createSocket('udp4');
    const user = Buffer.from('alice').toString('base64');
    const frame = (name: string): string =>
      `C1 ${up} G ${name} 0 ${Date.now() / 1_000} udp 198.51.100.9 5060 60 ${user}`;
    socket.send(frame('east'), cluster.tellPort, '127.0.0.1');
    await until('it is dropped', async () => (await drops()) === before + 1);
    socket.send(frame('west'), cluster.tellPort, '127.0.0.1');
    await until(
      'west is believed',
      async () => (await operate<StatusReport>(cluster, 'status')).counts.good === good + 1,
    );
    socket.close();
  });

  test.each(HALVES)('one that is %s holds up nobody', async (how) => {
    half.behave(how);
    const { requests, connections } = { ...half.seen };
    await until('it is tried', () => half.seen.requests + half.seen.connections > requests + connections, 4_000);
    const times: number[] = [];
    for (let n = 0; n < 10; n += 1)
      times.push(await banned(n % 2 === 0 ? east : west, `198.51.10${HALVES.indexOf(how)}.${10 + n}`));
    const { state, lastError } = await cluster.node('half');
    figure(how, { bannedMs: times.toSorted((a, b) => a - b)[5], askedMs: await judged(east, 5), state, lastError });
    if (how !== 'half') expect({ state, said: lastError !== '' }).toEqual({ state: 'down', said: true });
  });

  test('one that is killed is told as down while the others go on; it is filled again when it is back', async () => {
    await east.kill();
    await until('east is down', async () => (await cluster.node('east')).state === 'down');
    const { stdout } = await command(cluster, 'status');
    expect(stdout).toMatch(/east\s+down/);
    expect(stdout).toMatch(/west\s+connected/);
    expect(stdout).toMatch(/1 of 4 SIP servers connected/);
    const bannedMs = await banned(west, '198.51.100.5');
    const askedMs = await judged(west);
    await east.start();
    const bans = await west.count('ipban');
    const filledMs = await until('east is filled again', async () => {
      return (await east.count('ipban')) === bans;
    });
    expect(await east.get('ipban', '198.51.100.5')).toMatch(/^companion:/);
    await cluster.connected('east', 'west');
    figure('killed', { bannedMs, askedMs, filledMs, bans, askedEastMs: await judged(east) });
  });

  test('what waits for it is bounded, and what is too much is counted', async () => {
    half.behave('half');
    await until('it is written to', async () => (await cluster.node('half')).state !== 'down');
    const before = residentMb(cluster.companionPid);
    const rows = Array.from({ length: NETWORKS }, (_, n) => ({
      subject: `${11 + (n >> 8)}.${n & 255}.${n % 2 === 0 ? 0 : 128}.0/17`,
    }));
    for (let at = 0; at < rows.length; at += 250)
      await operate(cluster, 'deny.import', { rows: rows.slice(at, at + 250) });
    for (let n = 0; n < WITH_THEM; n += 1) await ban(`203.0.113.${n}`);
    const east100k = await until(
      'east has all',
      async () => (await east.count('companion_net')) === NETWORKS * KEYS_OF_NETWORK,
      30_000,
    );
    const { entries } = await cluster.node('half');
    // give or take those under way
    expect(Math.abs(entries['queued']! - MAX_QUEUED)).toBeLessThan(WITH_THEM);
    const metrics = await readMetrics(cluster);
    const dropped = [...metrics].find(([key]) => /companion_node_counter.*half.*"dropped"/.test(key))?.[1] ?? 0;
    expect(dropped).toBeGreaterThan(0);
    const growth = residentMb(cluster.companionPid) - before;
    figure('queue', { queued: entries['queued'], dropped, growthMb: growth, east100k });
    // the mirrors of four servers, 100,000 keys each, and what a heap leaves lying for a while
    expect(growth).toBeLessThan(700);
    figure('beside it', { bannedMs: await banned(west, '198.51.100.4'), askedMs: await judged(west, 5) });
  });
});
