/** Countries and feeds before a real Kamailio: strangers are turned away, keys are few, and nobody of ours is hit. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FeedRow, StatusReport } from '../../src/model/index.ts';
import { fakeServer } from '../unit/feeds/fake-server.ts';
import type { FakeServer } from '../unit/feeds/fake-server.ts';
import { country, encodeMmdb } from '../unit/feeds/mmdb.ts';
import { listOf, operate, until } from './kit/companion.ts';
import { PHONE_AGENT, requestText, statusOf } from './kit/sip-text.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

/** Feeds cannot list loopback: these are given to lo for the test. */
const LISTED = '198.51.100.177';
const CARRIER = '198.51.100.178';
const PHONE = '198.51.100.179';
const DENIED = '198.51.100.180';
const ABROAD = '127.86.71.1';
const HOME = '127.86.72.1';

const lo = (verb: 'add' | 'del', address: string): boolean =>
  spawnSync('ip', ['addr', verb, `${address}/32`, 'dev', 'lo']).status === 0;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
  'permission to add IPv6 addresses to lo',
)('countries and feeds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'feeds-'));
  let bed: Testbed;
  let server: FakeServer;
  let body = '';

  beforeAll(async () => {
    for (const address of [LISTED, CARRIER, PHONE, DENIED]) lo('add', address);
    const geo = join(folder, 'country.mmdb');
    const entries = [
      ['127.86.71.0/24', country('RU')],
      ['127.86.72.0/24', country('DE')],
    ] as const;
    writeFileSync(geo, encodeMmdb({ type: 'Test-Country', builtAt: Date.now(), entries }));
    // a million entries beside the few that come
    body = Array.from({ length: 200_000 }, (_, n) => `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).join('\n');
    const deny = join(folder, 'deny');
    const denied = Array.from({ length: 60_000 }, (_, n) => `12.${n >> 8}.${n & 255}.0/24`).join('\n');
    writeFileSync(deny, `${denied}\n${DENIED.replace(/\d+$/, '180/31')} # bought\n`);
    server = await fakeServer(() => ({ body: `${LISTED}\n${CARRIER}\n${PHONE}\n${body}\n` }));
    bed = await openTestbed({
      sip: '127.86.7.1:15060',
      users: { alice: 'wonderland' },
      yaml: `
geo: { files: [${geo}], download: [] }
blocked_countries: [RU]
lists: [{ file: ${deny}, kind: deny, note: bought }]
peers: [{ name: carrier, addresses: [${CARRIER}] }]
feeds: [{ name: voipbl, type: list, url: '${server.url}/list', enabled: false }]
`,
    });
  });
  afterAll(async () => {
    await bed?.stop();
    await server?.stop();
    for (const address of [LISTED, CARRIER, PHONE, DENIED]) lo('del', address);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The status of the answer to an OPTIONS of a stranger, 0 for silence. */
  const knock = async (ip: string): Promise<number> => {
    const client = await openUdp(ip, bed.server);
    const uri = `sip:${bed.domain}`;
    const text = requestText({
      method: 'REGISTER',
      uri,
      from: `sip:bob@${bed.domain}`,
      to: `sip:bob@${bed.domain}`,
      local: client.local,
      agent: PHONE_AGENT,
    });
    const answer = await client.ask(text, { withinMs: 700, fits: (one) => statusOf(one) >= 200 });
    client.close();
    return statusOf(answer ?? '');
  };

  test('a stranger of a blocked country gets nothing, others are challenged; no key is pushed for it', async () => {
    expect(await knock(HOME)).toBe(401);
    expect(await knock(ABROAD)).toBe(0);
    expect(await bed.why(ABROAD)).toMatchObject({
      state: 'denied',
      reason: 'country RU is blocked',
      place: { country: 'RU' },
      undo: [`companion allow add ${ABROAD}`],
    });
    expect((await bed.door.keys('ipban')).size).toBe(0);
  });

  test('a poisoned feed has no effect on our carrier and our customers, and is an alarm; whom it lists is dropped', async () => {
    const phone = await createUa({ server: '127.86.7.1:15060', from: PHONE, user: 'alice', password: 'wonderland' });
    expect((await phone.register()).status).toBe(200);
    const carrierBefore = await knock(CARRIER);
    expect(await knock(LISTED)).toBe(401);
    await operate(bed.lab, 'feed.switch', { name: 'voipbl', on: true, author: 'test' });
    await until(
      'the feed is read',
      async () => (await listOf<FeedRow>(bed.lab, 'feed.list'))[0]?.updatedAt !== null,
      20_000,
    );
    const [feed] = await listOf<FeedRow>(bed.lab, 'feed.list');
    expect(feed).toMatchObject({ entries: 200_001, hits: 2, lastError: '' });
    expect((await operate<StatusReport>(bed.lab, 'status')).alarms?.join()).toContain(`${CARRIER}/32 (peer carrier)`);

    expect(await knock(LISTED)).toBe(0);
    expect(await bed.check(LISTED)).toMatchObject({ result: 'blocked', reason: 'listed by voipbl' });
    await until('Kamailio holds whom it has seen', async () => (await bed.door.keys('ipban')).has(LISTED));
    expect(await knock(LISTED)).toBe(0);
    expect((await bed.counters())['banned']).toBeGreaterThan(0);

    expect(await knock(CARRIER)).toBe(carrierBefore);
    expect((await phone.register()).status).toBe(200);
    // one came, one key; it stays through a comparison with the ledger
    await sleep(2_500);
    expect([...(await bed.door.keys('ipban')).keys()]).toEqual([LISTED]);
    phone.close();
  });

  test('the feed turned off: its key goes, and the stranger is a stranger again', async () => {
    await operate(bed.lab, 'feed.switch', { name: 'voipbl', on: false, author: 'test' });
    await until('the key is gone', async () => (await bed.door.keys('ipban')).size === 0);
    expect(await knock(LISTED)).toBe(401);
    expect((await operate<StatusReport>(bed.lab, 'status')).alarms ?? []).toEqual([]);
  });

  test('a long deny list is no keys in Kamailio but those that have come', async () => {
    expect((await bed.door.keys('ipban')).size).toBe(0);
    expect(await knock(DENIED)).toBe(0);
    expect(await bed.why(DENIED)).toMatchObject({
      state: 'denied',
      lists: [{ list: 'deny', subject: '198.51.100.180/31', note: 'bought' }],
      undo: expect.arrayContaining([`companion allow add ${DENIED}`]) as unknown,
    });
    await until('Kamailio holds who has come', async () => (await bed.door.keys('ipban')).has(DENIED));
    await sleep(2_500);
    expect([...(await bed.door.keys('ipban')).keys()]).toEqual([DENIED]);
    await operate(bed.lab, 'allow.add', { subject: DENIED, note: '', author: 'test' });
    await until('Kamailio has been told', async () => (await knock(DENIED)) === 401);
  });
});
