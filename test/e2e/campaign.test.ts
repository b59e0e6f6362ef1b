/** What is noticed across sources and over time on a real Kamailio: a campaign, prefix hunting, traps, an old device. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '../../src/model/index.ts';
import { figure, operate, until } from './kit/companion.ts';
import { requestText, statusOf } from './kit/sip-text.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const BOTS = 12;
const SERVER = '127.84.1.1:15060';
const YAML = `
decide: { ban_private: true }
detect:
  distributed_scan: { sources: 10, grace: 2s, campaign_grace: 1s }
  honey: { users: ['7777'], numbers: ['+4930555000123'] }
`;

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
)('across sources', () => {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await openTestbed({ sip: SERVER, users: { alice: 'wonderland', bob: 'builder' }, yaml: YAML });
  });
  afterAll(async () => bed?.stop());

  const register = async (ip: string, user: string): Promise<number> => {
    const client = await openUdp(ip, bed.server);
    const aor = `sip:${user}@${bed.domain}`;
    const text = requestText({ method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local });
    const answer = await client.ask(text, { withinMs: 1_000, fits: (one) => statusOf(one) >= 200 });
    client.close();
    return statusOf(answer ?? '');
  };
  const invite = async (ip: string, number: string): Promise<void> => {
    const client = await openUdp(ip, bed.server);
    const to = `sip:${number}@${bed.domain}`;
    const from = `sip:100@${bed.domain}`;
    await client.ask(requestText({ method: 'INVITE', uri: to, from, to, local: client.local }), { withinMs: 300 });
    client.close();
  };
  const stateOf = async (ip: string): Promise<string> => (await bed.why(ip)).state;

  test('a campaign: each of its addresses is quarantined, a customer beside them is not', async () => {
    const phone = await createUa({ server: SERVER, from: '127.84.9.1', user: 'bob', password: 'builder' });
    const bots = Array.from({ length: BOTS }, (_, index) => `127.84.2.${1 + index}`);
    for (const [index, ip] of bots.entries()) expect(await register(ip, `u${index * 7_919}x`)).toBe(401);
    await sleep(2_500);
    for (const [index, ip] of bots.entries()) await register(ip, `v${index * 7_919}x`);
    expect((await phone.register()).status).toBe(200);
    phone.close();
    await until('all are quarantined', async () =>
      (await Promise.all(bots.map(stateOf))).every((state) => state === 'quarantined'),
    );
    const { evidence } = await bed.why(bots[0]!);
    expect(evidence.at(-1)).toMatchObject({ rule: 'campaign.scan', tier: 'spoofable' });
    expect(await stateOf('127.84.9.1')).not.toBe('quarantined');
    figure('campaign', { bots: BOTS, 'messages of each': 2, evidence: evidence.at(-1)?.text });
  });

  test('prefix hunting is noticed at the third prefix', async () => {
    for (const prefix of ['00', '011']) await invite('127.84.3.1', `${prefix}972598072172`);
    expect(await stateOf('127.84.3.1')).toBe('stranger');
    await invite('127.84.3.1', '9011972598072172');
    await until('it is quarantined', async () => (await stateOf('127.84.3.1')) === 'quarantined');
  });

  test('a trap: quarantined over UDP, banned over TCP', async () => {
    await register('127.84.4.1', '7777');
    await invite('127.84.4.2', '004930555000123');
    const aor = `sip:7777@${bed.domain}`;
    const socket = connect({ host: bed.server.ip, port: bed.server.port, localAddress: '127.84.4.3' });
    socket.on('error', () => undefined);
    socket.write(
      requestText({
        method: 'REGISTER',
        uri: `sip:${bed.domain}`,
        from: aor,
        to: aor,
        local: '127.84.4.3:5060',
        transport: 'TCP',
      }),
    );
    await until('all three are held', async () => {
      const states = await Promise.all(['127.84.4.1', '127.84.4.2', '127.84.4.3'].map(stateOf));
      return states.join(' ') === 'quarantined quarantined banned';
    });
    socket.destroy();
  });

  test('an old device: the operator is told, the address is left alone, and all is well when it is put right', async () => {
    const ip = '127.84.5.1';
    const good = await createUa({ server: SERVER, from: ip, user: 'alice', password: 'wonderland' });
    expect((await good.register()).status).toBe(200);
    good.close();
    const old = await createUa({ server: SERVER, from: ip, user: 'alice', password: 'forgotten' });
    for (let attempt = 0; attempt < 3; attempt += 1) await old.register();
    old.close();
    const alarms = async (): Promise<readonly string[]> =>
      (await operate<StatusReport>(bed.lab, 'status')).alarms ?? [];
    const mine = `digest.stale-device alice@${ip}`;
    await until('the alarm stands', async () => (await alarms()).some((alarm) => alarm.startsWith(mine)));
    const { state, evidence } = await bed.why(ip);
    expect(['stranger', 'good']).toContain(state);
    expect(evidence.map(({ rule }) => rule)).toContain('digest.stale-device');
    const again = await createUa({ server: SERVER, from: ip, user: 'alice', password: 'wonderland' });
    expect((await again.register()).status).toBe(200);
    again.close();
    await until('it is over', async () => !(await alarms()).some((alarm) => alarm.startsWith(mine)));
  });
});
