/** Customers are never hurt: Show line 2, and real phones. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPhone } from '../../src/lab/index.ts';
import { startBaresip } from './kit/baresip.ts';
import { figure, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { HARM_MS, expectOfficeUnharmed } from './kit/office.ts';
import { expectPlausible } from './kit/plausible.ts';
import { extensions, openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { requires } from './requirements.ts';

const NET = '127.81.5';
const USERS = extensions(200, 259, (name) => `pw-${name}`);
/** Somebody changed its password and did not tell the phone. */
const FORGETFUL = '259';
requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
)('an office of 60 phones behind one address', () => {
  const office = `${NET}.20`;
  let bed: Testbed;
  beforeAll(async () => {
    // loopback is private: without this nothing could be banned here, and nothing would be proven
    bed = await openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: 'decide: {ban_private: true}\n' });
  });
  afterAll(async () => {
    await bed?.stop();
  });

  test('all register at once, again and again, and after a power cut; one has a wrong password', async () => {
    await expectOfficeUnharmed('60 phones', {
      bed,
      address: office,
      users: USERS,
      forgetful: FORGETFUL,
      rounds: 6,
      roundMs: 4_000,
      powerCut: 3,
    });
  });

  test('whose password is put right is served within 32 s, throttle or not', async () => {
    const options = { server: bed.server, domain: bed.domain, user: FORGETFUL, from: office, everyMs: 1_000 };
    const phone = await createPhone({ ...options, password: USERS[FORGETFUL]! });
    const { status, latencyMs } = await phone.register();
    figure('the forgetful phone, put right', { status, ms: Math.round(latencyMs) });
    expect(status).toBe(200);
    expect(latencyMs).toBeLessThan(HARM_MS);
    await phone.stop();
  });

  test('Kamailio has nothing to complain about, and dropped nothing but the throttled attempts', async () => {
    expect(bed.complaints()).toEqual([]);
    const counters = await expectPlausible(bed);
    const { ask, throttled_user, over_budget, challenge, ...others } = counters;
    expect(ask).toBeGreaterThan(100);
    expect(throttled_user).toBeGreaterThan(0);
    // an office that comes back at once may exceed the budget of asks: then it is challenged without being asked about
    expect(challenge ?? 0).toBeLessThanOrEqual(over_budget ?? 0);
    expect(others).toEqual({});
  });
});

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
  'baresip',
)('the real baresip', () => {
  test('registers over UDP and TCP, calls, holds, resumes and hangs up', async () => {
    const bed = await openTestbed({ sip: '127.81.6.1:15060', users: USERS });
    const phone = { server: bed.server, sipPort: 5_070 };
    const [udp, tcp] = await Promise.all([
      startBaresip({ ...phone, ip: '127.81.6.31', user: '201', password: USERS['201']!, transport: 'udp' }),
      startBaresip({ ...phone, ip: '127.81.6.32', user: '202', password: USERS['202']!, transport: 'tcp' }),
    ]);
    try {
      const registered = (trace: string): boolean => /\[1 binding\]/.test(trace);
      await until('both are registered', () => registered(udp.trace()) && registered(tcp.trace()));
      udp.command('dial', `sip:202@${bed.lab.ready.sip}`);
      await until('the call is up', () => udp.events().includes('CALL_ESTABLISHED'));
      const answers = (): number => udp.events().filter((type) => type === 'CALL_REMOTE_SDP').length;
      udp.command('hold');
      await until('the re-INVITE that holds is answered', () => answers() === 2);
      udp.command('resume');
      await until('the re-INVITE that resumes is answered', () => answers() === 3);
      udp.command('hangup');
      await until('the other side has heard of it', () => tcp.events().includes('CALL_CLOSED'));

      const statuses = [...udp.trace().matchAll(/-> 127\.81\.6\.31:5070\r?\nSIP\/2\.0 (\d{3})/g)].map(
        ([, code]) => code!,
      );
      figure('baresip', { 'answers over UDP': tally(statuses), events: tally(udp.events()) });
      expect(udp.trace()).toMatch(/;cdp=[0-9a-f]{42}>/);
      expect(udp.trace()).not.toMatch(/kamailio|important/i);
      // one challenge for REGISTER, one for INVITE: whatever followed in the dialog passed with its proof
      expect(statuses.filter((code) => code === '401' || code === '407')).toEqual(['401', '407']);
      expect(statuses.filter((code) => Number(code) >= 400)).toHaveLength(2);
      expect(bed.complaints()).toEqual([]);
      expect((await bed.door.keys('companion_state')).size).toBe(0);
      // asked about, challenged once as known-good, and nothing ever dropped or throttled
      expect(await bed.counters()).toEqual({ ask: expect.any(Number), challenge: 1 });
    } finally {
      await Promise.all([udp.stop(), tcp.stop()]);
      await bed.stop();
    }
  });
});
