import { expect, test } from 'vitest';
import type { Change, Entry, Verdict } from '../../../src/model/index.ts';
import { ask, from } from '../detect/events.ts';
import { NOW, ban, bench, fakeEnforcer, fakeRecords, good } from './bench.ts';

const IP = '203.0.113.7';
const put = (entry: Entry): Change => ({ op: 'put', entry });
const lift = (entry: Entry): Change => ({ op: 'remove', entry, why: 'expired' });
const quarantine: Entry = {
  kind: 'quarantine',
  subject: IP,
  rules: [],
  evidence: [],
  since: NOW,
  until: null,
  origin: 'detector',
  reason: 'x',
};
const listed = (kind: 'allow' | 'deny'): Entry => ({
  kind,
  subject: `${IP}/32`,
  note: '',
  author: 'me',
  since: NOW,
  until: null,
  origin: 'operator',
  reason: 'x',
});
const companion = { by: 'companion', node: '' } as const;

test('lists, enforcers, database, audit, watchers: in this order', () => {
  const said: string[] = [];
  const enforcer = fakeEnforcer({ apply: () => void said.push(`enforce, list says ${parts.lists.verdict(IP)}`) });
  const parts = bench({ enforcer, said });
  parts.operations.watch(({ change }) => said.push(`watch ${change}`));
  parts.effects.push([put(listed('deny'))], companion);
  expect(said).toEqual([
    'enforce, list says deny',
    'remember put deny',
    `audit companion deny.add ${IP}/32: x`,
    'watch deny',
  ]);
});

test('the changes of one verdict go to a server together', () => {
  const calls: number[] = [];
  const { effects } = bench({ enforcer: fakeEnforcer({ apply: (changes) => void calls.push(changes.length) }) });
  effects.push([lift(quarantine), put(ban(IP))], companion);
  expect(calls).toEqual([2]);
});

test('no change, no effect', () => {
  const { effects, said, enforcer } = bench();
  effects.push([], companion);
  expect([said, enforcer.applied, effects.counts]).toEqual([[], [], {}]);
});

test('changes are counted by kind, and lifted ones apart', () => {
  const { effects } = bench();
  effects.push([put(ban(IP)), put(quarantine), lift(quarantine), put(good('192.0.2.1'))], companion);
  expect(effects.counts).toEqual({ ban: 1, quarantine: 1, 'lift-quarantine': 1, good: 1 });
});

test('known-good phones are remembered, and not in the audit trail', () => {
  const { effects, said } = bench();
  effects.push([put(good('192.0.2.1'))], companion);
  expect(said).toEqual(['remember put good']);
});

test('shadow mode: servers hear of known-good and allow entries only, everybody else of everything', () => {
  const { effects, enforcer, said, events } = bench({ mode: 'shadow' });
  effects.push(
    [put(ban(IP)), put(quarantine), put(good('192.0.2.1')), put(listed('allow')), put(listed('deny'))],
    companion,
  );
  expect(enforcer.applied.map(({ entry }) => entry.kind)).toEqual(['good', 'allow']);
  expect(said.filter((line) => line.startsWith('remember'))).toHaveLength(5);
  expect(events.every(({ shadow }) => shadow)).toBe(true);
});

test('a server that throws keeps nothing from the other servers, the database and the watchers', () => {
  const broken = fakeEnforcer({
    apply: () => {
      throw new Error('broken server');
    },
  });
  const other = fakeEnforcer({ name: 'edge2' });
  const { effects, said, events, bugs } = bench({ enforcers: [broken, other] });
  effects.push([put(ban(IP))], companion);
  expect(other.applied).toHaveLength(1);
  expect(said).toHaveLength(2);
  expect(events).toHaveLength(1);
  expect(bugs).toEqual([new Error('broken server')]);
  expect(effects.counts).toEqual({ ban: 1, failed: 1 });
});

test('a database that throws keeps nothing from anybody', () => {
  const fail = (): never => {
    throw new Error('broken database');
  };
  const { effects, enforcer, events, lists } = bench({ records: fakeRecords([], { remember: fail, audit: fail }) });
  effects.push([put(listed('deny')), put(ban(IP))], companion);
  expect(enforcer.applied).toHaveLength(2);
  expect(events).toHaveLength(2);
  expect(lists.verdict(IP)).toBe('deny');
  expect(effects.counts).toMatchObject({ failed: 4 });
});

test('a watcher that throws is let go and hurts nobody else', () => {
  const { effects, operations, events, said } = bench();
  let calls = 0;
  operations.watch(() => {
    calls += 1;
    throw new Error('broken watcher');
  });
  effects.push([put(ban(IP)), put(quarantine)], companion);
  expect([calls, events.length, said.length]).toEqual([1, 2, 4]);
});

test('an event tells who, what, why and since when', () => {
  const { effects, events } = bench();
  const event = ask(NOW, from(IP, 5080, 'tcp'), 'REGISTER', '100');
  const findings = [
    {
      rule: 'scanner.user-agent',
      family: 'tool',
      accused: { kind: 'source' },
      tier: 'proven',
      points: 100,
      evidence: "User-Agent contains 'x'",
    },
  ] as const;
  const verdict: Verdict = { answer: 'drop', state: 'banned', reason: 'r', findings, changes: [put(ban(IP))] };
  effects.push(verdict.changes, { by: 'event', event, verdict });
  expect(events).toEqual([
    {
      at: NOW,
      node: 'edge1',
      ip: IP,
      port: 5080,
      transport: 'tcp',
      method: 'REGISTER',
      change: 'ban',
      subject: IP,
      answer: 'drop',
      state: 'banned',
      rules: ['enumeration.distinct'],
      until: NOW + 3_600_000,
      reason: 'enumeration.distinct',
      evidence: "User-Agent contains 'x'",
      shadow: false,
    },
  ]);
});

test('a lifted entry says of what kind it was and why', () => {
  const { effects, events } = bench();
  effects.push([lift(quarantine)], companion);
  expect(events).toMatchObject([{ change: 'lift', subject: IP, until: null, reason: 'quarantine expired' }]);
});
