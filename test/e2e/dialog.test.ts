/** In-dialog requests are believed with our own proof only; nothing is relayed without it: Show line 3. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figure, operate, until } from './kit/companion.ts';
import { tally } from './kit/figures.ts';
import { EVERY_METHOD, callUp, routeTricks } from './kit/route-tricks.ts';
import { requestText, statusOf, token } from './kit/sip-text.ts';
import { expectPlausible } from './kit/plausible.ts';
import { openTestbed } from './kit/testbed.ts';
import type { Testbed } from './kit/testbed.ts';
import { createUa } from './kit/ua.ts';
import type { Ua } from './kit/ua.ts';
import { openUdp } from './kit/udp-client.ts';
import type { UdpClient } from './kit/udp-client.ts';
import { requires } from './requirements.ts';

const NET = '127.81.7';
const USERS = { alice: 'wonderland', bob: 'builder' };
const SINK = { ip: '127.81.9.9', port: 5_099 };

requires(
  'kamailio',
  'kamailio-extra-modules',
  'kamailio-utils-modules',
  'kamailio-sqlite-modules',
)('dialogs', () => {
  let bed: Testbed;
  let alice: Ua;
  let bob: Ua;
  let sink: UdpClient;
  let attackers = 60;
  beforeAll(async () => {
    bed = await openTestbed({ sip: `${NET}.1:15060`, users: USERS, yaml: 'decide: {ban_private: true}\n' });
    const server = bed.lab.ready.sip;
    alice = await createUa({ server, from: `${NET}.20`, user: 'alice', password: USERS.alice });
    bob = await createUa({ server, from: `${NET}.21`, user: 'bob', password: USERS.bob });
    sink = await openUdp(SINK.ip, bed.server, SINK.port);
    expect([(await alice.register()).status, (await bob.register()).status]).toEqual([200, 200]);
  });
  afterAll(async () => {
    for (const socket of [alice, bob, sink]) socket?.close();
    await bed?.stop();
  });
  /** Each attack from an address of its own, so that what one proves does not hide the next. */
  const openAttacker = async (): Promise<UdpClient> => {
    attackers += 1;
    return openUdp(`${NET}.${attackers}`, bed.server);
  };

  test('with our proof they pass unchallenged, from both sides, also while the address is quarantined', async () => {
    const call = await callUp(alice, 'bob', bed.domain);
    expect(call.routes.every((route) => /;cdp=[0-9a-f]{42}[;>]/.test(route))).toBe(true);
    const hold = await call.request('INVITE');
    const info = await call.request('INFO');

    const neighbour = await openUdp(`${NET}.20`, bed.server);
    const aor = `sip:1@${bed.domain}`;
    const tool = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, agent: 'friendly-scanner' };
    await neighbour.send(requestText({ ...tool, local: neighbour.local }));
    await sleep(200);
    expect((await bed.why(`${NET}.20`)).state).toBe('quarantined');
    const update = await call.request('UPDATE');
    const elsewhere = await createUa({ server: bed.lab.ready.sip, from: `${NET}.20`, user: 'nobody' });
    const { callId, fromTag, to, target, routes } = call;
    const lines = routes.map((value) => `Route: ${value}`);
    // a phone whose NAT has given it another port: the proof is in the message
    const moved = await elsewhere.request({ method: 'INFO', uri: target, to, callId, fromTag, headers: lines });
    const theirs = await bob.request({
      method: 'INFO',
      uri: `sip:alice@${alice.local}`,
      to: `<sip:alice@${bed.domain}>;tag=${fromTag}`,
      callId,
      fromTag: 'callee',
      headers: lines,
    });
    const bye = await call.request('BYE');
    const statuses = [hold, info, update, moved, theirs, bye].map(({ status }) => status);
    figure('in-dialog with proof', { hold: hold.status, all: tally(statuses) });
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    // known-good is untouched by what others send from the same address
    const { invite, bye: end } = await alice.call('bob');
    expect([invite.status, end.status]).toEqual([200, 200]);
    neighbour.close();
    elsewhere.close();
  });

  const them = `<sip:${SINK.ip}:${SINK.port};lr>`;
  const relayed = (): readonly string[] => sink.received.map(({ text }) => text.split('\r\n')[0]!);

  test('without it nothing is relayed, whatever To-tag and Routes say', async () => {
    const call = await callUp(alice, 'bob', bed.domain);
    const answers: number[] = [];
    for (const [name, trick] of Object.entries(routeTricks(call, `${NET}.1:15060`, SINK))) {
      const attacker = await openAttacker();
      const uri = `sip:bob@${bed.domain}`;
      const base = { uri, from: `sip:alice@${bed.domain}`, to: uri, local: attacker.local, toTag: token() };
      for (const method of EVERY_METHOD) await attacker.send(requestText({ ...base, method, ...trick }));
      await sleep(120);
      // keep-alives, as which OPTIONS to ourselves pass, are answered to everybody
      const replies = attacker.received.filter(({ text }) => !text.startsWith('SIP/2.0 200 Keepalive'));
      const got = replies.map(({ text }) => statusOf(text));
      answers.push(...got);
      const strange = got.filter((status) => ![401, 407, 483].includes(status));
      const ban = await bed.door.get('ipban', attacker.ip);
      expect({ name, relayed: relayed(), strange, ban }).toEqual({ name, relayed: [], strange: [], ban: undefined });
      attacker.close();
    }
    // Kamailio takes some methods (PRACK, ACK, CANCEL) for authenticated without looking: nobody becomes known-good by them
    const known = [...(await bed.door.keys('companion_good')).keys()];
    const trusted = new RegExp(`^${NET.replaceAll('.', '\\.')}\\.2[012]:`);
    expect(known.filter((key) => !trusted.test(key))).toEqual([]);
    figure('relay tricks', { answers: tally(answers), relayed: relayed().length });
    expect((await call.request('BYE')).status).toBe(200);
  });

  test('the proof of a call leads nobody elsewhere: not a stranger who was told of it, to no address of his choice', async () => {
    const call = await callUp(alice, 'bob', bed.domain);
    const outsider = await createUa({ server: bed.lab.ready.sip, from: `${NET}.23`, user: 'mallory' });
    const lines = call.routes.map((value) => `Route: ${value}`);
    const { callId, fromTag, to } = call;
    const statuses: number[] = [];
    for (const method of ['INVITE', 'MESSAGE', 'REFER', 'BYE']) {
      const uri = `sip:premium@${SINK.ip}:${SINK.port}`;
      statuses.push((await outsider.request({ method, uri, to, callId, fromTag, headers: lines })).status);
      statuses.push(
        (await outsider.request({ method, uri, to, callId, fromTag, headers: [...lines, `Route: ${them}`] })).status,
      );
    }
    outsider.send(
      requestText({
        method: 'ACK',
        uri: `sip:x@${SINK.ip}:${SINK.port}`,
        from: `sip:alice@${bed.domain}`,
        to: call.target,
        local: outsider.local,
        callId,
        fromTag,
        toTag: 'callee',
        more: lines,
      }),
    );
    await sleep(150);
    expect({ statuses: new Set(statuses), relayed: relayed() }).toEqual({ statuses: new Set([407]), relayed: [] });
    expect((await call.request('BYE')).status).toBe(200);
    outsider.close();
  });

  test('an authenticated user leads nothing past the dialling rules with a To-tag and a preloaded Route', async () => {
    const statuses: number[] = [];
    for (const method of ['INVITE', 'MESSAGE', 'REFER', 'BYE']) {
      const insider = await createUa({
        server: bed.lab.ready.sip,
        from: `${NET}.22`,
        user: 'bob',
        password: USERS.bob,
      });
      const reply = await insider.authenticated({
        method,
        uri: `sip:premium@${SINK.ip}:${SINK.port}`,
        to: `<sip:premium@${bed.domain}>;tag=${token()}`,
        headers: [`Route: <sip:${NET}.1:15060;lr>, ${them}`],
      });
      statuses.push(reply.status);
      insider.close();
    }
    await sleep(150);
    expect({ statuses: new Set(statuses), relayed: relayed() }).toEqual({ statuses: new Set([404]), relayed: [] });
  });

  test('an allowed address is authenticated like everybody, and hangs up without credentials', async () => {
    const ip = `${NET}.22`;
    await operate(bed.lab, 'allow.add', { subject: ip, note: 'a peer', author: 'test' });
    await until('Kamailio has it', async () => (await bed.door.get('companion_net', `a${ip}`)) !== undefined);
    const stranger = await openUdp(ip, bed.server);
    const uri = `sip:bob@${bed.domain}`;
    const parts = { uri, from: `sip:alice@${bed.domain}`, to: uri, local: stranger.local };
    const invite = await stranger.ask(requestText({ ...parts, method: 'INVITE' }));
    expect(statusOf(invite ?? '')).toBe(407);
    for (const method of ['PRACK', 'ACK', 'CANCEL', 'NOTIFY'])
      await stranger.send(requestText({ ...parts, method, toTag: token(), more: [`Route: ${them}`] }));
    await sleep(150);
    expect(relayed()).toEqual([]);
    stranger.close();

    const peer = await createUa({ server: bed.lab.ready.sip, from: ip, user: 'alice', password: USERS.alice });
    const call = await callUp(peer, 'bob', bed.domain);
    const statuses = [(await call.request('PRACK')).status, (await call.request('BYE')).status];
    peer.close();
    expect(statuses).toEqual([200, 200]);
  });

  test('and no answer goes to where a Via points', async () => {
    const attacker = await openAttacker();
    const uri = `sip:bob@${bed.domain}`;
    const parts = { method: 'OPTIONS', uri, from: uri, to: uri, local: `${SINK.ip}:${SINK.port}` };
    const via = (value: string): string => requestText(parts).replace(/^Via: .*$/m, `Via: SIP/2.0/UDP ${value}\r`);
    for (const value of [
      `${SINK.ip}:${SINK.port};branch=z9hG4bK${token()}`,
      `${attacker.local};maddr=${SINK.ip};branch=z9hG4bK${token()}`,
      `${attacker.local};received=${SINK.ip};rport=${SINK.port};branch=z9hG4bK${token()}`,
      `${SINK.ip}:${SINK.port};rport=${SINK.port};received=${SINK.ip};branch=z9hG4bK${token()}`,
    ]) {
      await attacker.send(via(value).replace('\r\r\n', '\r\n'));
      await sleep(60);
    }
    figure('Via tricks', { answers: tally(attacker.received.map(({ text }) => statusOf(text))) });
    expect(sink.received).toEqual([]);
    attacker.close();
  });

  test('Kamailio has nothing to complain about, and counts what it dropped', async () => {
    const counters = await expectPlausible(bed);
    expect(bed.complaints()).toEqual([]);
    expect(counters).toMatchObject({ stray_ack: expect.any(Number), stray_cancel: expect.any(Number) });
  });
});
