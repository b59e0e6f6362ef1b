import { expect, test } from 'vitest';
import { decideSchema } from '../../../src/decide/index.ts';
import {
  ATTACKER,
  HOUR,
  MINUTE,
  OFFICE,
  accusing,
  ask,
  from,
  judgeOne,
  judgeWith,
  proven,
  registered,
  spoofable,
  told,
} from './build.ts';

const request = (at: number, ip = ATTACKER) => ask(at, from(ip), 'REGISTER', '100');

/** How long the first ban by a rule lasts, in hours. */
const firstBan = (rule: string, settings: object): number => {
  const judge = judgeWith(settings);
  judgeOne(judge, request(0), [proven({ rule })]);
  return (judge.ledger.ban(ATTACKER)?.until ?? 0) / HOUR;
};

test('enumeration is banned for two hours, everything else for one, unless the operator has a time of its own', () => {
  expect(decideSchema.parse({}).ban_times).toEqual({});
  expect(firstBan('enumeration.distinct', { ban_times: {} })).toBe(2);
  expect(firstBan('scanner.user-agent', { ban_times: {} })).toBe(1);
  expect(firstBan('enumeration.distinct', { ban_time: '24h' })).toBe(24);
  expect(firstBan('enumeration.distinct', { ban_time: '24h', ban_times: { enumeration: '5h' } })).toBe(5);
});

test('a rule wins over its family, own lines over ours, and the ladder doubles what is set', () => {
  const settings = { ban_times: { enumeration: '3h', 'enumeration.rapid': '30m' } };
  expect(firstBan('enumeration.rapid', settings)).toBe(0.5);
  expect(firstBan('enumeration.distinct', settings)).toBe(3);
  const judge = judgeWith(settings);
  judgeOne(judge, request(0), [proven()]);
  judge.expire(3 * HOUR);
  judgeOne(judge, request(4 * HOUR), [proven()]);
  expect(judge.ledger.ban(ATTACKER)).toMatchObject({ level: 2, until: 10 * HOUR });
});

test.each(['Enumeration', 'a b', '', '../x'])('ban_times refuses the rule %j', (rule) => {
  expect(decideSchema.safeParse({ ban_times: { [rule]: '1h' } }).success).toBe(false);
});

// what a rule may lead to at most

test('log: shown as evidence, without points', () => {
  const judge = judgeWith();
  const { changes, state } = judgeOne(judge, request(0), [proven({ most: 'log' }), accusing('alice', { most: 'log' })]);
  expect([changes, state]).toEqual([[], 'stranger']);
  const report = judge.report(ATTACKER, 'none', 0);
  expect(report.score).toEqual({ proven: 0, spoofable: 0 });
  expect(report.evidence.map(({ rule }) => rule)).toEqual(['enumeration.distinct', 'digest.wrong-password']);
  expect(report.evidence.map(({ points }) => points)).toEqual([0, 0]);
});

test('throttle: what is proven slows down and no more, what may be forged is only shown', () => {
  const judge = judgeWith();
  expect(told(judgeOne(judge, request(0), [proven({ most: 'throttle' })]).changes)).toEqual([`+throttle ${ATTACKER}`]);
  for (let at = 1; at < 20; at += 1) judgeOne(judge, request(at), [proven({ most: 'throttle' })]);
  expect(judge.ledger.ban(ATTACKER)).toBeUndefined();
  expect(judge.ledger.quarantine(ATTACKER)).toBeUndefined();
  const forged = judgeWith();
  expect(judgeOne(forged, request(0), [spoofable({ most: 'throttle' })]).changes).toEqual([]);
});

test('quarantine: never a ban, and no help to another rule towards one', () => {
  const judge = judgeWith();
  for (let at = 0; at < 10; at += 1) judgeOne(judge, request(at), [proven({ most: 'quarantine' })]);
  judgeOne(judge, request(11), [proven({ rule: 'scanner.trick', points: 10 })]);
  expect(judge.ledger.quarantine(ATTACKER)).toBeDefined();
  expect(judge.ledger.ban(ATTACKER)).toBeUndefined();
  judgeOne(judge, request(12), [proven({ rule: 'scanner.trick', points: 100 })]);
  expect(judge.ledger.ban(ATTACKER)).toBeDefined();
});

test('ban: a proven flood is banned where the operator wants that, a spoofable finding never', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven({ rule: 'density.source', family: 'flood', most: 'ban' })]);
  expect(judge.ledger.ban(ATTACKER)).toBeDefined();
  for (let at = 0; at < 50; at += 1) judgeOne(judge, request(at, OFFICE), [spoofable({ most: 'ban' })]);
  expect(judge.ledger.ban(OFFICE)).toBeUndefined();
  expect(judge.ledger.quarantine(OFFICE)).toBeDefined();
});

// suspected false alarms

test('customers before the evidence: marked once, and further evidence weighs half for a week', () => {
  const judge = judgeWith();
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice'));
  const { falseAlarm, changes } = judgeOne(judge, request(MINUTE, OFFICE), [proven()]);
  expect(told(changes)).toEqual([`+quarantine ${OFFICE}`]);
  expect(falseAlarm).toMatchObject({ subject: OFFICE, how: 'registered-before', rules: ['enumeration.distinct'] });
  judge.expire(2 * HOUR);
  expect(judgeOne(judge, request(2 * HOUR, OFFICE), [proven()])).toMatchObject({ changes: [] });
  expect(judge.report(OFFICE, 'none', 2 * HOUR).score.proven).toBe(50);
  const again = judgeOne(judge, request(2 * HOUR, OFFICE), [proven({ rule: 'scanner.trick' })]);
  expect(again.changes).not.toEqual([]);
  expect(again.falseAlarm).toBeUndefined();
  const later = 8 * 24 * HOUR;
  judge.expire(later);
  judge.expire(later + HOUR);
  expect(judge.falseAlarms.of(OFFICE, later)).toBeUndefined();
  expect(told(judgeOne(judge, request(later + HOUR, OFFICE), [proven()]).changes)).toEqual([`+ban ${OFFICE}`]);
});

test('a customer that registers after a ban: marked, and nothing is lifted by it', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0, OFFICE), [proven({ rule: 'scanner.trick' })]);
  expect(judge.ledger.ban(OFFICE)).toBeDefined();
  const { falseAlarm } = judgeOne(judge, registered(2 * HOUR, from(OFFICE), 'alice'));
  expect(falseAlarm).toMatchObject({ how: 'registered-since', rules: ['scanner.trick'] });
  expect(judge.ledger.ban(OFFICE)).toBeDefined();
  expect(judgeOne(judge, registered(3 * HOUR, from(OFFICE), 'alice')).falseAlarm).toBeUndefined();
});

test('a guesser that succeeds in the end is no false alarm', () => {
  const judge = judgeWith();
  for (const at of [1, 2]) judgeOne(judge, request(at), [proven({ rule: 'digest.guessing', family: 'guess' })]);
  expect(judgeOne(judge, registered(MINUTE, from(ATTACKER), 'alice')).falseAlarm).toBeUndefined();
  judge.expire(2 * HOUR);
  expect(judgeOne(judge, request(2 * HOUR), [proven({ rule: 'scanner.trick' })]).falseAlarm).toBeUndefined();
  expect(judge.falseAlarms.weight(ATTACKER, 2 * HOUR)).toBe(1);
  expect(judge.falseAlarms.customerSince(ATTACKER)).toBeUndefined();
});
