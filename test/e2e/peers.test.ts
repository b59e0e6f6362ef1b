/** Peers with a cap, or that are not spared everything: Kamailio asks about them, lets them pass, and never challenges them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unasked } from './kit/asked.ts';
import { until } from './kit/companion.ts';
import { PHONE_AGENT, requestText, statusOf } from './kit/sip-text.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const TRUSTED = '127.86.60.1';
const CHECKED = '127.86.61.1';
const CAPPED = '127.86.62.1';
const YAML = `
peers:
  - { name: trusted, addresses: [${TRUSTED}] }
  - { name: checked, addresses: [${CHECKED}], skip: [rate, scan, passwords] }
  - { name: capped, addresses: [${CAPPED}], requests_per_second: 2 }
`;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('peers', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await openTestbed({ sip: '127.86.6.1:15060', users: { alice: 'wonderland' }, yaml: YAML });
    await until('the peers are keys', async () => (await bed.door.keys('companion_net')).size >= 3);
  });
  afterAll(async () => bed?.stop());

  /** The final statuses of the answers, 0 for silence, to so many INVITEs at once. */
  const invite = async (ip: string, agent: string, count = 1): Promise<readonly number[]> => {
    const clients = await Promise.all(Array.from({ length: count }, () => openUdp(ip, bed.server)));
    const answers = await Promise.all(
      clients.map((client) =>
        client.ask(
          requestText({
            method: 'INVITE',
            uri: `sip:nobody@${bed.domain}`,
            from: `sip:carrier@${ip}`,
            to: `sip:nobody@${bed.domain}`,
            local: client.local,
            agent,
          }),
          { withinMs: 1_000, fits: (one) => statusOf(one) >= 200 },
        ),
      ),
    );
    for (const client of clients) client.close();
    return answers.map((answer) => statusOf(answer ?? ''));
  };

  test('one that is spared everything is not asked about', async () => {
    const before = (await bed.counters())['ask'] ?? 0;
    const [status] = await invite(TRUSTED, 'friendly-scanner');
    expect(status).toBeGreaterThan(0);
    expect((await bed.counters())['ask'] ?? 0).toBe(before);
  });

  test('one that is looked at is answered like any peer; what a tool sends through it is dropped, and it is never banned', async () => {
    const [trusted] = await invite(TRUSTED, PHONE_AGENT);
    const before = (await bed.counters())['ask'] ?? 0;
    expect(await invite(CHECKED, PHONE_AGENT)).toEqual([trusted]);
    expect((await bed.counters())['ask'] ?? 0).toBeGreaterThan(before);
    expect(await invite(CHECKED, 'friendly-scanner')).toEqual([0]);
    expect(await invite(CHECKED, PHONE_AGENT)).toEqual([trusted]);
    expect(await bed.check(CHECKED)).toMatchObject({ result: 'allowed' });
  });

  test('one with a cap gets so many a second, and no challenge beyond it', async () => {
    const [trusted] = await invite(TRUSTED, PHONE_AGENT);
    const unaskedBefore = await unasked(bed);
    const began = Date.now();
    const statuses = await invite(CAPPED, PHONE_AGENT, 8);
    const seconds = Math.floor(Date.now() / 1_000) - Math.floor(began / 1_000) + 1;
    const wentOn = (await unasked(bed)) - unaskedBefore;
    const answered = statuses.filter((status) => status !== 0);
    expect(answered.length).toBeGreaterThanOrEqual(2);
    expect(answered.length).toBeLessThanOrEqual(2 * seconds + wentOn);
    expect(statuses).toContain(0);
    expect(new Set(answered)).toEqual(new Set([trusted]));
  });

  test('Kamailio has nothing to complain about', () => {
    expect(bed.complaints()).toEqual([]);
  });
});
