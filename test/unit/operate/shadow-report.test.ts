import { expect, test } from 'vitest';
import type { AuditLine, Change, Verdict } from '../../../src/model/index.ts';
import { ask, from, registered } from '../detect/events.ts';
import { HOUR, NOW, ban, bench, fakeRecords, good } from './bench.ts';

const IP = '203.0.113.7';
const OFFICE = '198.51.100.20';

/** Records that answer with what they were told, newest first. */
const remembering = () => {
  const trail: AuditLine[] = [];
  const said: string[] = [];
  const records = fakeRecords(said, {
    audit: (line) => void trail.unshift(line),
    decisions: async () => trail.filter(({ actor }) => actor === 'detector'),
  });
  return { trail, said, records };
};

const rehearsed = (...changes: Change[]): Verdict => ({
  answer: 'allow',
  state: 'stranger',
  reason: '',
  findings: [],
  changes: [],
  shadow: {
    findings: [
      {
        rule: 'scanner.trick',
        family: 'tool',
        accused: { kind: 'source' },
        tier: 'proven',
        points: 100,
        evidence: 'seen',
      },
    ],
    changes,
  },
});
const put = (subject: string): Change => ({
  op: 'put',
  entry: ban(subject, { reason: 'scanner.trick', rules: ['scanner.trick'] }),
});

test('what is rehearsed reaches the trail, the counters and the watchers, and nothing that acts', () => {
  const { trail, said, records } = remembering();
  const { effects, enforcer, events, lists, judge } = bench({ records });
  const event = ask(NOW, from(IP), 'REGISTER', '100');
  effects.push([], { by: 'event', event, verdict: rehearsed(put('203.0.113.0/24'), put(IP)) });
  expect(enforcer.applied).toEqual([]);
  expect(said).toEqual([]);
  expect([...judge.ledger.entries()]).toEqual([]);
  expect(lists.verdict(IP)).toBe('none');
  expect(effects.counts).toEqual({ 'shadow-ban': 2 });
  expect(trail).toMatchObject([{ action: 'ban.shadow', subject: IP }, { action: 'ban.shadow' }]);
  expect(events).toMatchObject([
    { shadow: true },
    { change: 'ban', subject: IP, shadow: true, evidence: 'seen', rules: ['scanner.trick'] },
  ]);
});

test('the report tells who would have been hit, by which rule, and who of them is a customer', async () => {
  const { records } = remembering();
  const { effects, judge, operations, clock, put: hold } = bench({ records });
  hold({ ...good(OFFICE), since: NOW - HOUR });
  const rehearse = (ip: string): void =>
    effects.push([], { by: 'event', event: ask(clock.at, from(ip), 'REGISTER', '100'), verdict: rehearsed(put(ip)) });
  rehearse(IP);
  rehearse(OFFICE);
  rehearse('192.0.2.1');
  clock.at += 1_000;
  rehearse(IP);
  judge.judge(
    registered(clock.at + 1, from('192.0.2.1'), 'bob'),
    { list: 'none', own: false, privateRange: false, agent: null, fingerprint: null },
    [],
  );
  const report = await operations.shadowReport(24 * HOUR);
  expect(report).toMatchObject({
    decisions: 4,
    sourcesTotal: 3,
    suspected: 2,
    mode: 'enforce',
    cut: false,
    rules: { 'scanner.trick': { decisions: 4, sources: 3, suspected: 2 } },
  });
  expect(report.sources.map(({ subject, customers, decisions }) => [subject, customers, decisions])).toEqual([
    ['192.0.2.1', 'since', 1],
    [OFFICE, 'before', 1],
    [IP, 'none', 2],
  ]);
  expect(report.sources.at(-1)).toMatchObject({
    outcome: 'ban',
    by: 'rule',
    first: NOW,
    last: NOW + 1_000,
    rules: ['scanner.trick'],
  });
});

test('in shadow mode every decision is in the report, and still in the report of attacks; what operators do is not', async () => {
  const { records } = remembering();
  const { effects, operations, enforcer } = bench({ records, mode: 'shadow' });
  const event = ask(NOW, from(IP), 'REGISTER', '100');
  const verdict: Verdict = { ...rehearsed(), shadow: undefined };
  effects.push([put(IP)], { by: 'event', event, verdict });
  await operations.banAdd({ subject: '192.0.2.7', reason: 'x', author: 'operator:me' });
  expect(enforcer.applied).toEqual([]);
  expect(await operations.shadowReport(HOUR)).toMatchObject({
    decisions: 1,
    mode: 'shadow',
    sources: [{ subject: IP, by: 'mode' }],
  });
  expect(await operations.report(HOUR)).toMatchObject({ decisions: 1, outcomes: { ban: 1 } });
});

test('enforced decisions are no part of it', async () => {
  const { records } = remembering();
  const { effects, operations } = bench({ records });
  effects.push([put(IP)], {
    by: 'event',
    event: ask(NOW, from(IP), 'REGISTER', '100'),
    verdict: { ...rehearsed(), shadow: undefined },
  });
  expect(await operations.shadowReport(HOUR)).toMatchObject({ decisions: 0, sources: [] });
});

test('a suspected false alarm is counted, told to watchers, and stands in why', async () => {
  const { trail, records } = remembering();
  const { effects, judge, operations, events, clock } = bench({ records });
  const facts = { list: 'none', own: false, privateRange: false, agent: null, fingerprint: null } as const;
  const finding = {
    rule: 'scanner.trick',
    family: 'tool',
    accused: { kind: 'source' },
    tier: 'proven',
    points: 100,
    evidence: 'x',
  } as const;
  const event = ask(NOW, from(IP), 'REGISTER', '100');
  const verdict = judge.judge(event, facts, [finding]);
  effects.push(verdict.changes, { by: 'event', event, verdict });
  clock.at += HOUR;
  const success = registered(clock.at, from(IP), 'alice');
  const after = judge.judge(success, facts, []);
  effects.push(after.changes, { by: 'event', event: success, verdict: after });
  expect(effects.counts['false-alarm']).toBe(1);
  expect(events.filter(({ change }) => change === 'false-alarm')).toMatchObject([
    { subject: IP, rules: ['scanner.trick'] },
  ]);
  expect(trail.filter(({ action }) => action === 'false-alarm')).toHaveLength(1);
  expect((await operations.why(IP)).falseAlarm).toMatchObject({ how: 'registered-since', at: clock.at });
});
