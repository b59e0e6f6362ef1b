/** Who leaves the answer to its calls without an ACK is noticed; whoever acknowledges is not. On a real Kamailio. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { challengeOf, digestAnswer } from '../../src/lab/phone/digest-answer.ts';
import { startBaresip } from './kit/baresip.ts';
import { command, figure, until } from './kit/companion.ts';
import { openEdgeBed } from './kit/pbx.ts';
import type { EdgeBed } from './kit/pbx.ts';
import { openTcp } from './kit/scanner.ts';
import { headerOf, requestText, statusOf, token } from './kit/sip-text.ts';
import { runTool } from './kit/svtools.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import type { UdpClient } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const USERS = { alice: 'wonderland', bob: 'builder' };
const CALLS = 8;
/** Timer H, Kamailio's own timer, and a busy machine. */
const OVERDUE_MS = 75_000;
/** No mark of a tool counts: what is left is what a caller does. */
const YAML =
  'decide: {ban_private: true}\ndetect: {scanner_agent: {enabled: false}, scanner_fingerprint: {enabled: false}}\n';
const RULE = 'scanner.never-acks';

interface Call {
  readonly callId: string;
  readonly answer: string | undefined;
  /** @param by who sends it, if not the caller's own socket */
  acknowledge(by?: UdpClient): Promise<void>;
}

/** A call to one and the same number, like that of a phone. */
const call = async (client: UdpClient, domain: string, callId = token()): Promise<Call> => {
  const uri = `sip:00442070000000@${domain}`;
  const dialog = { callId, fromTag: token(), branch: `z9hG4bK${token()}` };
  const parts = { uri, from: `sip:1001@${domain}`, to: uri, local: client.local, ...dialog };
  const answer = await client.ask(requestText({ method: 'INVITE', ...parts }), {
    withinMs: 5_000,
    fits: (text) => statusOf(text) >= 200 && headerOf(text, 'Call-ID') === callId,
  });
  return {
    callId,
    answer,
    acknowledge: async (by = client) => {
      const toTag = /;tag=([^;\s]+)/.exec(headerOf(answer ?? '', 'To'))?.[1] ?? '';
      await by.send(requestText({ method: 'ACK', ...parts, toTag }));
    },
  };
};

/** What waits for an ACK on this server, of calls from there. */
const waitingOf = async (bed: Testbed, ip: string): Promise<string[]> =>
  [...(await bed.door.keys('companion_call')).values()].map(String).filter((text) => text.split(' ')[3] === ip);

/**
 * Calls until so many were asked about: on a busy machine an ask may time out, and then nothing is known of the caller.
 * @returns those that had to be acknowledged
 */
const dial = async (bed: Testbed, client: UdpClient, calls: number, acknowledges: boolean): Promise<Call[]> => {
  const made: Call[] = [];
  for (let tries = 0; made.length < calls; tries += 1) {
    if (tries > calls * 3) throw new Error(`only ${made.length} of ${tries} calls were asked about`);
    const before = (await waitingOf(bed, client.ip)).length;
    const one = await call(client, bed.domain);
    if (one.answer !== undefined) expect(statusOf(one.answer)).toBe(407);
    if ((await waitingOf(bed, client.ip)).length === before) {
      await sleep(500);
      continue;
    }
    if (acknowledges) await one.acknowledge();
    await until('noted', async () => !acknowledges || (await waitingOf(bed, client.ip)).length === before);
    made.push(one);
  }
  return made;
};

const isQuarantined = async (bed: Testbed, ip: string): Promise<boolean> => (await bed.why(ip)).state === 'quarantined';

/** Waits until none of this server's calls waits any more. */
const allOver = async (bed: Testbed): Promise<void> => {
  await until(
    'every call is acknowledged, or over',
    async () => (await bed.door.keys('companion_call')).size === 0,
    OVERDUE_MS,
    500,
  );
  // the frames, if any, are on their way
  await sleep(1_000);
};

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-sqlite-modules',
  'sipvicious',
  'baresip',
)('calls without ACK', () => {
  const beds: Testbed[] = [];
  const open = async (sip: string, transport?: 'evapi'): Promise<Testbed> => {
    const bed = await openTestbed({ sip, users: USERS, yaml: YAML, ...(transport === undefined ? {} : { transport }) });
    beds.push(bed);
    return bed;
  };
  let bed: Testbed;
  let deaf: Testbed;
  let evapi: Testbed;
  let edge: EdgeBed;
  beforeAll(async () => {
    [bed, deaf, evapi] = await Promise.all([
      open('127.84.60.1:15060'),
      open('127.84.61.1:15060'),
      open('127.84.62.1:15060', 'evapi'),
    ]);
    edge = await openEdgeBed({ sip: '127.84.63.1:15060', users: USERS, yaml: YAML }, '127.84.63.2');
    beds.push(edge);
  });
  afterAll(async () => {
    await Promise.all(beds.map(async (one) => one.stop()));
  });

  const accused = async (at: Testbed, ip: string): Promise<void> => {
    await until('quarantined', async () => isQuarantined(at, ip), OVERDUE_MS, 500);
    const why = await at.why(ip);
    expect(why.evidence).toMatchObject([{ rule: RULE, tier: 'spoofable' }]);
    expect(why.history).toEqual([]);
    expect(await at.door.get('ipban', ip)).toBeUndefined();
  };

  test.concurrent('a dialer that never acknowledges is quarantined; callers that do are not', async () => {
    const { server, domain } = bed;
    const phone = await startBaresip({
      ip: '127.84.60.30',
      sipPort: 5_062,
      server,
      user: 'alice',
      password: USERS.alice,
      transport: 'udp',
    });
    const dialer = await openUdp('127.84.60.66', server);
    const caller = await openUdp('127.84.60.20', server);
    const late = await openUdp('127.84.60.21', server);
    const ua = await createUa({ server: bed.lab.ready.sip, from: '127.84.60.22', user: 'bob', password: USERS.bob });
    try {
      // a genuine client that nobody knew before: challenged, acknowledged, authenticated
      await until('registered', () => /\[1 binding\]/.test(phone.trace()), 30_000);
      phone.command('dial', `sip:00442070000000@${domain}:${server.port}`);
      await dial(bed, caller, CALLS * 2, true);
      const dialled = await dial(bed, dialer, CALLS, false);
      expect((await ua.call('nobody')).invite.status).toBe(480);
      // seconds later and from another address, as behind a large NAT
      const lateCalls = await dial(bed, late, CALLS, false);
      const moved = await openUdp('127.84.60.23', server);
      await sleep(4_000);
      for (const { acknowledge } of lateCalls) await acknowledge(moved);
      moved.close();

      await accused(bed, dialer.ip);
      await allOver(bed);
      for (const ip of [caller.ip, late.ip, '127.84.60.22', '127.84.60.30'])
        expect((await bed.why(ip)).evidence).toEqual([]);
      expect(await bed.door.get('companion_acked', caller.ip)).toBe(CALLS * 2);
      // svwar, in the same place, leaves one without
      expect((await bed.counters())['unacked']).toBeGreaterThanOrEqual(CALLS);
      expect(phone.trace()).toContain('407');

      // an operator has the Call-ID of one of them
      const { stdout } = await command(bed.lab, 'why', dialled[0]!.callId);
      expect(stdout).toContain(dialer.ip);
      const { stdout: text } = await command(bed.lab, 'why', dialer.ip);
      expect(text).toContain(`${CALLS} calls within 10 min whose answer was not acknowledged in 32 s, 0 acknowledged`);
      figure('calls without ACK', await bed.counters());
      expect(bed.complaints()).toEqual([]);
    } finally {
      for (const socket of [dialer, caller, late, ua]) socket.close();
      await phone.stop();
    }
  });

  test.concurrent('svwar acknowledges its calls, with ACKs that fit no transaction: it is not of this kind', async () => {
    await runTool('svwar', ['-m', 'INVITE', '-e', '100-104', '--force', '-p', '15060', bed.server.ip]);
    await allOver(bed);
    expect(Number((await bed.door.get('companion_acked', '127.0.0.1')) ?? 0)).toBeGreaterThan(0);
    expect((await bed.why('127.0.0.1')).evidence.map(({ rule }) => rule)).not.toContain(RULE);
  });

  test.concurrent('where the server never saw an ACK, nobody is accused', async () => {
    const dialer = await openUdp('127.84.61.66', deaf.server);
    try {
      await dial(deaf, dialer, CALLS, false);
      await allOver(deaf);
      expect((await deaf.why(dialer.ip)).evidence).toEqual([]);
      expect((await deaf.counters())['unacked']).toBeUndefined();
    } finally {
      dialer.close();
    }
  });

  test.concurrent('over evapi, and over TCP: a habit quarantines, it never bans', async () => {
    const caller = await openUdp('127.84.62.20', evapi.server);
    const dialer = await openTcp({ from: '127.84.62.66', server: evapi.server });
    if (dialer === undefined) throw new Error('no connection');
    try {
      await dial(evapi, caller, 1, true);
      const uri = `sip:00442070000000@${evapi.domain}`;
      for (let number = 1; (await waitingOf(evapi, '127.84.62.66')).length < CALLS; number += 1) {
        const from = `sip:1001@${evapi.domain}`;
        dialer.send(requestText({ method: 'INVITE', uri, from, to: uri, local: dialer.local, transport: 'TCP' }));
        await until('answered', () => dialer.received.length >= number);
      }
      await accused(evapi, '127.84.62.66');
      expect((await evapi.why(caller.ip)).evidence).toEqual([]);
    } finally {
      caller.close();
      dialer.close();
    }
  });

  test.concurrent('before a PBX: its refusals have to be acknowledged as well as our challenge', async () => {
    const { server, domain } = edge;
    const ua = await createUa({ server: edge.lab.ready.sip, from: '127.84.63.20', user: 'bob', password: USERS.bob });
    const dialer = await openUdp('127.84.63.66', server);
    try {
      // acknowledges our challenge and the PBX's
      const seen = async (): Promise<boolean> => {
        await ua.call('nobody');
        return (await edge.door.get('companion_meta', 'acks.t')) === 1;
      };
      await until('Kamailio has seen that', seen, 30_000);
      for (let tries = 0; (await waitingOf(edge, dialer.ip)).length < CALLS; tries += 1) {
        if (tries > CALLS * 3) throw new Error('its calls were not asked about');
        const first = await call(dialer, domain);
        await first.acknowledge();
        const offer = challengeOf(first.answer ?? '');
        if (offer === undefined) throw new Error('not challenged');
        const uri = `sip:00442070000000@${domain}`;
        const claim = { user: '1001', password: 'any', method: 'INVITE', uri, count: 1 };
        const callId = token();
        const parts = { uri, from: `sip:1001@${domain}`, to: uri, local: dialer.local, callId, cseq: 2 };
        const again = requestText({ method: 'INVITE', ...parts, more: [digestAnswer(offer, claim)] });
        const answer = await dialer.ask(again, {
          withinMs: 5_000,
          fits: (text) => statusOf(text) >= 300 && headerOf(text, 'Call-ID') === callId,
        });
        expect(statusOf(answer ?? '')).toBe(407);
      }
      await until('our own challenges are acknowledged', async () =>
        (await waitingOf(edge, dialer.ip)).every((text) => text.startsWith('t ')),
      );
      await allOver(edge);
      // half of its calls were acknowledged: that is no dialer
      expect(await isQuarantined(edge, dialer.ip)).toBe(false);
      expect((await edge.counters())['unacked']).toBeGreaterThanOrEqual(CALLS);
      expect((await edge.why('127.84.63.20')).evidence).toEqual([]);
    } finally {
      dialer.close();
      ua.close();
    }
  });
});
