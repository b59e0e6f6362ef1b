import { expect, test } from 'vitest';
import { Ledger } from '../../../src/decide/index.ts';
import { ExpiryHeap } from '../../../src/decide/expiry-heap.ts';
import { identityOf } from '../../../src/model/index.ts';
import type { BanEntry, GoodEntry, ListEntry, QuarantineEntry } from '../../../src/model/index.ts';
import { range, told } from './build.ts';

const ledgerOf = (cap = 100) => new Ledger({ bans: cap, quarantined: cap, throttled: cap, good: cap }, identityOf);

const ban = (subject: string, part: Partial<BanEntry> = {}): BanEntry => ({
  kind: 'ban',
  subject,
  level: 1,
  rules: [],
  evidence: [],
  since: 0,
  until: null,
  origin: 'detector',
  reason: 'test',
  ...part,
});
const quarantine = (subject: string, until: number): QuarantineEntry => ({
  ...ban(subject),
  kind: 'quarantine',
  until,
});
const good = (ip: string, port: number, user: string, until: number | null = null): GoodEntry => ({
  kind: 'good',
  ip,
  port,
  user,
  since: 0,
  until,
  origin: 'detector',
  reason: 'registered',
});
const deny = (subject: string): ListEntry => ({
  kind: 'deny',
  subject,
  note: '',
  author: 'me',
  since: 0,
  until: null,
  origin: 'operator',
  reason: 'deny list',
});

test('beyond the cap the oldest detector entry makes room', () => {
  const ledger = ledgerOf(2);
  for (const ip of ['192.0.2.1', '192.0.2.2']) ledger.put(ban(ip));
  expect(told(ledger.put(ban('192.0.2.3')))).toEqual(['+ban 192.0.2.3', '-ban 192.0.2.1']);
  expect([ledger.count('ban'), ledger.evicted]).toEqual([2, 1]);
});

test('replacing an entry pushes nothing out', () => {
  const ledger = ledgerOf(2);
  for (const ip of ['192.0.2.1', '192.0.2.2']) ledger.put(ban(ip));
  expect(told(ledger.put(ban('192.0.2.1', { level: 2 })))).toEqual(['+ban 192.0.2.1']);
});

test.each(['operator', 'foreign'] as const)('an entry of origin %s is never pushed out', (origin) => {
  const ledger = ledgerOf(2);
  ledger.put(ban('192.0.2.1', { origin }));
  for (const host of range(2, 50)) ledger.put(ban(`192.0.2.${host}`));
  expect(ledger.ban('192.0.2.1')).toBeDefined();
  expect(ledger.count('ban')).toBe(2);
});

test("a table full of operator's entries still takes the newest of a detector, and only that", () => {
  const ledger = ledgerOf(2);
  for (const host of [1, 2, 3]) ledger.put(ban(`192.0.2.${host}`, { origin: 'operator' }));
  for (const host of range(4, 20)) ledger.put(ban(`192.0.2.${host}`));
  expect([...ledger.entries('ban')].map(({ origin }) => origin)).toEqual([
    'operator',
    'operator',
    'operator',
    'detector',
  ]);
});

test('evictions go round: entries that came after the first round are found', () => {
  const ledger = ledgerOf(3);
  const evicted = range(1, 20).flatMap((host) =>
    told(ledger.put(ban(`192.0.2.${host}`))).filter((line) => line.startsWith('-')),
  );
  expect(evicted).toEqual(range(1, 17).map((host) => `-ban 192.0.2.${host}`));
});

test('kinds have caps of their own', () => {
  const ledger = ledgerOf(2);
  for (const ip of ['192.0.2.1', '192.0.2.2']) ledger.put(ban(ip));
  expect(ledger.put(quarantine('192.0.2.3', 10))).toHaveLength(1);
  expect(ledger.evicted).toBe(0);
});

test('lists are not bounded by the caps of detectors', () => {
  const ledger = ledgerOf(2);
  for (const host of range(1, 200)) ledger.put(deny(`192.0.2.${host}/32`));
  expect(ledger.count('deny')).toBe(200);
});

test('entries end when their time has come, not before', () => {
  const ledger = ledgerOf();
  ledger.put(quarantine('192.0.2.1', 1_000));
  expect(ledger.expire(999)).toEqual([]);
  expect(ledger.expire(1_000)).toMatchObject([{ op: 'remove', why: 'expired' }]);
  expect(ledger.count('quarantine')).toBe(0);
});

test('a renewed entry lives until its new end, a shortened one until that', () => {
  const ledger = ledgerOf();
  for (const [ip, first, then] of [
    ['192.0.2.1', 1_000, 2_000],
    ['192.0.2.2', 2_000, 1_000],
  ] as const) {
    ledger.put(quarantine(ip, first));
    ledger.put(quarantine(ip, then));
  }
  expect(told(ledger.expire(1_500))).toEqual(['-quarantine 192.0.2.2']);
  expect(told(ledger.expire(2_000))).toEqual(['-quarantine 192.0.2.1']);
});

test('a removed entry does not end a second time', () => {
  const ledger = ledgerOf();
  ledger.put(quarantine('192.0.2.1', 1_000));
  ledger.remove('quarantine 192.0.2.1', 'operator');
  expect(ledger.expire(5_000)).toEqual([]);
  expect(ledger.remove('quarantine 192.0.2.1', 'operator')).toEqual([]);
});

test('at most so many entries end at once, the rest with the next call', () => {
  const ledger = ledgerOf();
  for (const host of range(1, 30)) ledger.put(quarantine(`192.0.2.${host}`, host));
  expect([ledger.expire(100, 20).length, ledger.expire(100, 20).length]).toEqual([20, 10]);
});

test('renewals do not make the heap grow without bound, and nothing is lost when it is rebuilt', () => {
  const ledger = ledgerOf();
  for (const host of range(1, 10)) ledger.put(quarantine(`192.0.2.${host}`, 5_000_000 + host));
  for (const step of range(1, 100_000)) ledger.put(quarantine('192.0.2.99', 1_000 + step));
  expect(ledger.expire(200_000, Infinity)).toHaveLength(1);
  expect(ledger.expire(6_000_000)).toHaveLength(10);
});

test('known-good phones are found by the identity they stand behind', () => {
  const ledger = ledgerOf();
  for (const [ip, port] of [
    ['2001:db8::1', 5060],
    ['2001:db8::2', 5060],
    ['2001:db8:0:1::1', 5060],
  ] as const)
    ledger.put(good(ip, port, 'alice'));
  expect([...ledger.goodOf('2001:db8::/64')].map(({ ip }) => ip)).toEqual(['2001:db8::1', '2001:db8::2']);
});

test.each(['expired', 'evicted', 'removed'] as const)('a known-good phone that is %s is no longer found', (how) => {
  const ledger = ledgerOf(how === 'evicted' ? 1 : 10);
  ledger.put(good('192.0.2.1', 5060, 'alice', 1_000));
  if (how === 'expired') ledger.expire(1_000);
  if (how === 'evicted') ledger.put(good('192.0.2.2', 5060, 'bob', 1_000));
  if (how === 'removed') ledger.remove('good 192.0.2.1 5060 alice', 'revoked');
  expect([...ledger.goodOf('192.0.2.1')]).toEqual([]);
  expect(ledger.good('192.0.2.1', 5060, 'alice')).toBeUndefined();
});

test('a user name with spaces is one user', () => {
  const ledger = ledgerOf();
  ledger.put(good('192.0.2.1', 5060, 'a b'));
  expect(ledger.good('192.0.2.1', 5060, 'a b')).toBeDefined();
  expect(ledger.remove('good 192.0.2.1 5060 a b', 'revoked')).toHaveLength(1);
});

test('the heap gives keys in order of time, and none before its time', () => {
  const heap = new ExpiryHeap();
  for (const at of [5, 3, 9, 1, 7, 3]) heap.push(at, `k${at}`);
  const popped: (string | undefined)[] = [];
  for (let key = heap.pop(7); key !== undefined; key = heap.pop(7)) popped.push(key);
  expect(popped).toEqual(['k1', 'k3', 'k3', 'k5', 'k7']);
  expect(heap.size).toBe(1);
});
