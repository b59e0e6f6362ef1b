import { expect, test } from 'vitest';
import type { BanEntry, Verdict } from '../../../src/model/index.ts';
import { createRecentUse, createSamples } from '../../../src/operate/index.ts';
import { ask, auth, from, registered } from '../detect/events.ts';
import { NOW, ban, bench, fakeEnforcer, fakeRecords, good } from './bench.ts';

const IP = '203.0.113.7';
const quiet: Verdict = { answer: 'allow', state: 'stranger', reason: '', findings: [], changes: [] };
const banned: Verdict = { ...quiet, changes: [{ op: 'put', entry: ban(IP) }] };

const at = (ms: number, part: object) => ask(NOW + ms, from(IP), 'REGISTER', 'alice', part);
const saying = (text: string, ms = 0, part: object = {}) => ({ ...at(ms, part), sample: () => text });

test('the message that decided is kept, and no later one takes its place', () => {
  const samples = createSamples();
  samples.see(saying('first'), quiet);
  expect(samples.of(IP)).toBeUndefined();
  samples.see(saying('second', 1_000), banned);
  samples.see({ ...saying('third', 20_000), credentials: 'unbound' }, quiet);
  expect(samples.of(IP)).toEqual({ at: NOW + 1_000, node: expect.any(String), text: 'second', decided: true });
});

test('an outcome that decides makes the message before it the one that decided', () => {
  const samples = createSamples();
  samples.see({ ...saying('with credentials'), credentials: 'bound' }, quiet);
  expect(samples.of(IP)).toMatchObject({ decided: false });
  samples.see(auth(NOW + 10, from(IP), 'wrong-password', 'alice'), banned);
  expect(samples.of(IP)).toMatchObject({ text: 'with credentials', decided: true });
});

test('a flood costs at most fifty redactions a second, what decides has its own', () => {
  const samples = createSamples();
  let redacted = 0;
  const one = (n: number) => {
    const ip = `198.51.100.${n % 250}`;
    return {
      ...at(0, {}),
      credentials: 'unbound' as const,
      source: { ip, identity: `${ip}/${n}`, port: 1, transport: 'udp' as const },
      sample: () => `${(redacted += 1)}`,
    };
  };
  for (let n = 0; n < 3_000; n += 1) samples.see(one(n), quiet);
  expect(redacted).toBe(50);
  samples.see(one(3_001), banned);
  expect(redacted).toBe(51);
  for (let second = 1; second < 60; second += 1)
    for (let n = 0; n < 50; n += 1) samples.see({ ...one(second * 100 + n + 10_000), at: NOW + second * 1_000 }, quiet);
  expect(samples.size).toBe(2_000);
  expect(samples.evicted).toBeGreaterThan(900);
});

test('who used a Call-ID or a user, newest first; keys and sources of a key are bounded', () => {
  const recent = createRecentUse();
  const request = at(0, {});
  const long = 'c'.repeat(500);
  recent.see({
    ...request,
    sip: { ...request.sip, callId: long, authUser: 'other', from: { ...request.sip.from, user: 'alice' } },
  });
  expect(recent.of(long)).toEqual([{ as: 'call-id', ip: IP, first: NOW, last: NOW, events: 1 }]);
  expect(recent.of('alice')).toMatchObject([{ as: 'user', ip: IP }]);
  expect(recent.of('other')).toMatchObject([{ as: 'user', ip: IP }]);
  for (let n = 1; n <= 20; n += 1)
    recent.see({
      ...registered(NOW, from(IP), 'alice'),
      user: 'alice',
      at: NOW + n,
      source: { ...request.source, ip: `192.0.2.${n}` },
    });
  expect(recent.of('alice')).toHaveLength(8);
  expect(recent.of('alice')[0]).toMatchObject({ ip: '192.0.2.20' });
  expect(recent.evicted).toBe(13);
  for (let n = 0; n < 50_000; n += 1) recent.see(registered(NOW + 1_000 + n, from(IP), `u${n}`));
  expect(recent.size).toBeLessThanOrEqual(40_000);
  expect(recent.of('u0')).toEqual([]);
});

test('why tells proof, sample, and each list with its note', async () => {
  const { operations, put, samples } = bench({
    background: () => ({ place: undefined, barred: { state: 'quarantined', reason: 'listed by apiban' } }),
  });
  put(ban(IP));
  put({
    kind: 'allow',
    subject: '203.0.113.0/24',
    note: 'the lab',
    author: 'operator:eve',
    peer: 'carrier',
    since: NOW,
    until: null,
    origin: 'operator',
    reason: 'the lab',
  });
  samples.see(saying('REGISTER'), banned);
  expect(await operations.why(IP)).toMatchObject({
    proof: 'proven',
    sample: { text: 'REGISTER', decided: true },
    listed: ['peer carrier: 203.0.113.0/24, the lab (by operator:eve)', 'listed by apiban'],
  });
});

test('why names the users that are throttled at an address', async () => {
  const { operations, put } = bench();
  put({
    kind: 'throttle-user',
    subject: IP,
    user: 'bob',
    intervalSeconds: 5,
    since: NOW,
    until: NOW + 600_000,
    origin: 'detector',
    reason: 'digest.wrong-password',
  });
  const { listed, undo, state, reason } = await operations.why(IP);
  expect([state, reason]).toEqual(['stranger', "user 'bob' is throttled there"]);
  expect(listed).toEqual([
    expect.stringMatching(/^user 'bob' is throttled there: one try in 5 s until .*Z, digest\.wrong-password$/),
  ]);
  expect(undo).toEqual([`companion ban remove ${IP}`]);
  expect((await operations.why('203.0.113.8')).listed).toEqual([]);
});

test('a user is found by its known-good phone as well; what nobody used is said so', async () => {
  const { operations, put } = bench();
  put(good(IP, 'alice'));
  expect(await operations.used('alice')).toMatchObject({ text: 'alice', by: [{ as: 'user', ip: IP }] });
  await expect(operations.used('bob')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a flood is noted up to its bound a second', () => {
  const recent = createRecentUse();
  for (let n = 0; n < 8_000; n += 1) recent.see(registered(NOW, from(IP), `u${n}`));
  expect([recent.size, recent.evicted]).toEqual([5_000, 3_000]);
  recent.see(registered(NOW + 1_000, from(IP), 'alice'));
  expect(recent.of('alice')).toHaveLength(1);
});

test('a call whose answer was not acknowledged is found by its Call-ID', () => {
  const recent = createRecentUse();
  const { source, node } = at(0, {});
  const call = { kind: 'outcome', type: 'unacknowledged', at: NOW, node, source, tier: 'spoofable' } as const;
  recent.see({ ...call, callId: 'dial1', acked: 0 });
  expect(recent.of('dial1')).toEqual([{ as: 'call-id', ip: IP, first: NOW, last: NOW, events: 1 }]);
});

const barredBy = (state: 'denied' | 'quarantined', reason: string) => ({
  background: () => ({ place: undefined, barred: { state, reason } }),
});

test('why says which phones are known-good there, and asks each server for their keys', async () => {
  const asked: unknown[] = [];
  const enforcer = fakeEnforcer({
    holds: (ip, about) => {
      asked.push(
        ip,
        about?.map((entry) => entry.kind),
      );
      return Promise.resolve([]);
    },
  });
  const { operations, put } = bench({ enforcer });
  put(good(IP, 'alice'));
  const report = await operations.why(IP);
  expect(report).toMatchObject({
    state: 'good',
    reason: "user 'alice' registered there; whoever else sends from it is a stranger",
    phones: [{ user: 'alice', ip: IP, port: 5060 }],
  });
  expect(asked).toEqual([IP, ['good']]);
  put(ban(IP));
  expect((await operations.why(IP)).state).toBe('banned');
});

test('why tells of whom companion turns away when it is asked, and how to let it in', async () => {
  const blocked = bench(barredBy('denied', 'country RU is blocked'));
  expect(await blocked.operations.why(IP)).toMatchObject({
    enforced: [
      { enforcer: 'edge1' },
      {
        enforcer: 'companion',
        holds: ['not answered when a server asks about its requests: country RU is blocked'],
      },
    ],
    undo: [`companion allow add ${IP}`],
  });
  const closed = bench({ closedNodes: ['edge1'] });
  expect(await closed.operations.why(IP)).toMatchObject({
    enforced: [
      { enforcer: 'edge1' },
      { enforcer: 'companion', holds: ['not answered at edge1: it is not on the allow list (allowlist_only)'] },
    ],
    undo: [`companion allow add ${IP}`],
  });
  await closed.operations.listAdd({ list: 'allow', subject: IP, note: '', author: 'me' });
  expect((await closed.operations.why(IP)).enforced).toHaveLength(1);
});

test('why and check say that it is shadow mode', async () => {
  const { operations, put } = bench({ mode: 'shadow', ...barredBy('denied', 'country RU is blocked') });
  put(ban(IP));
  expect(await operations.why(IP)).toMatchObject({ state: 'banned', shadow: true });
  expect((await operations.why(IP)).enforced).toHaveLength(1);
  expect(await operations.check(IP)).toMatchObject({ result: 'blocked', shadow: true });
  expect(await bench().operations.check(IP)).not.toHaveProperty('shadow');
});

test('why tells what earlier bans were decided on, also when memory is gone', async () => {
  const line = { at: NOW - 9_000, rule: 'honey.user', tier: 'proven', points: 100, text: "asked for '7777'" } as const;
  const over = { ...ban(IP), since: NOW - 9_000, until: NOW - 1_000, evidence: [line] };
  const records = fakeRecords([], { history: () => Promise.resolve([over as BanEntry]) });
  const { operations } = bench({ records });
  expect(await operations.why(IP)).toMatchObject({ state: 'stranger', evidence: [line], proof: 'proven' });
});
