import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FindingFamily } from '../../../src/model/index.ts';
import {
  ATTACKER,
  HOUR,
  MINUTE,
  ask,
  finding,
  from,
  judgeOne,
  judgeWith,
  parseError,
  proven,
  range,
  spoofable,
  told,
} from './build.ts';

const FAMILIES: readonly FindingFamily[] = ['scan', 'guess', 'flood', 'tool', 'garbage'];
const source = from(ATTACKER);
const request = (at: number, part = {}) => ask(at, source, 'REGISTER', '100', part);

test('proven evidence of 100 points bans', () => {
  const verdict = judgeOne(judgeWith(), request(0), [proven()]);
  expect(told(verdict.changes)).toEqual([`+ban ${ATTACKER}`]);
  expect(verdict).toMatchObject({ answer: 'drop', state: 'banned', reason: 'enumeration.distinct' });
});

test('spoofable evidence of 100 points quarantines', () => {
  const verdict = judgeOne(judgeWith(), request(0), [spoofable()]);
  expect(told(verdict.changes)).toEqual([`+quarantine ${ATTACKER}`]);
  expect(verdict).toMatchObject({ answer: 'challenge', state: 'quarantined' });
});

test('99 points change nothing', () => {
  const verdict = judgeOne(judgeWith(), request(0), [proven({ points: 99 })]);
  expect(verdict).toMatchObject({ answer: 'allow', state: 'stranger', changes: [] });
});

test('smaller proven findings of different rules add up to a ban', () => {
  const judge = judgeWith();
  const weights = [40, 40, 20].map((points, index) =>
    judgeOne(judge, request(index), [proven({ rule: `rule-${index}`, points })]),
  );
  expect(weights.map(({ state }) => state)).toEqual(['stranger', 'stranger', 'banned']);
});

test('proven and spoofable points together quarantine, and do not ban', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven({ points: 90 })]);
  expect(told(judgeOne(judge, request(1), [spoofable({ points: 50 })]).changes)).toEqual([`+quarantine ${ATTACKER}`]);
});

test('a spoofable finding after enough proven points is not what bans', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven({ points: 99 })]);
  judgeOne(judge, request(1), [spoofable({ points: 100 })]);
  expect(judge.ledger.count('ban')).toBe(0);
});

test('any sequence of spoofable findings gives no ban', () => {
  const event = fc.record({
    family: fc.constantFrom(...FAMILIES),
    points: fc.integer({ min: 1, max: 100 }),
    rule: fc.constantFrom('a', 'b', 'c'),
    user: fc.option(fc.constantFrom('alice', 'bob')),
    after: fc.integer({ min: 0, max: 2 * HOUR }),
    host: fc.integer({ min: 1, max: 3 }),
    bound: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (steps) => {
      const judge = judgeWith({ max_sources: 1_000 });
      let at = 0;
      for (const { family, points, rule, user, after, host, bound } of steps) {
        at += after;
        const accused = user === null ? ({ kind: 'source' } as const) : ({ kind: 'user', user } as const);
        const asked = ask(at, from(`203.0.113.${host}`), 'REGISTER', '1', { credentials: bound ? 'bound' : 'none' });
        const { changes, answer } = judgeOne(judge, asked, [spoofable({ family, points, rule, accused })]);
        for (const { entry } of [...changes, ...judge.expire(at)]) expect(entry.kind).not.toBe('ban');
        if (bound) expect(answer).toBe('allow');
      }
      expect(judge.ledger.count('ban')).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('a proven flood is throttled', () => {
  const verdict = judgeOne(judgeWith(), request(0), [proven({ family: 'flood', rule: 'density.source' })]);
  expect(told(verdict.changes)).toEqual([`+throttle ${ATTACKER}`]);
  expect(verdict).toMatchObject({ answer: 'allow', state: 'throttled' });
});

test('a spoofable flood is quarantined', () => {
  const verdict = judgeOne(judgeWith(), request(0), [spoofable({ family: 'flood', rule: 'density.source' })]);
  expect(told(verdict.changes)).toEqual([`+quarantine ${ATTACKER}`]);
});

test('a proven flood that goes on is throttled although each finding is small', () => {
  const judge = judgeWith();
  for (const second of range(1, 3)) {
    judgeOne(judge, request(second * 1_000), [proven({ family: 'flood', rule: 'method-bucket', points: 50 })]);
  }
  expect(judge.ledger.count('throttle')).toBe(1);
});

test('a proven flood, however long, never makes a small mistake a ban', () => {
  const judge = judgeWith();
  for (const second of range(1, 60)) {
    judgeOne(judge, request(second * 1_000), [proven({ family: 'flood', rule: 'density.source' })]);
  }
  judgeOne(judge, parseError(61_000, from(ATTACKER, 5060, 'tcp'), Buffer.from('broken SIP/2.0')), [
    proven({ family: 'garbage', rule: 'garbage.malformed', points: 2 }),
  ]);
  expect([...judge.ledger.entries()].map(({ kind }) => kind)).toEqual(['throttle']);
});

test('the mark of a tool counts once, however many requests show it', () => {
  const judge = judgeWith();
  const mark = proven({ family: 'tool', rule: 'scanner.user-agent', points: 40 });
  for (const second of range(1, 600)) judgeOne(judge, request(second * 1_000), [mark]);
  expect(judge.report(ATTACKER, 'none', 600_000)).toMatchObject({ state: 'stranger', score: { proven: 40 } });
});

test('two different marks of a tool add up', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [
    proven({ family: 'tool', rule: 'scanner.user-agent', points: 40 }),
    proven({ family: 'tool', rule: 'scanner.fingerprint', points: 50 }),
    proven({ family: 'garbage', rule: 'garbage.not-sip', points: 20 }),
  ]);
  expect(judge.ledger.count('ban')).toBe(1);
});

test('a tool that goes on keeps its quarantine', () => {
  const judge = judgeWith();
  const mark = spoofable({ family: 'tool', rule: 'scanner.user-agent', points: 100 });
  for (const second of range(0, 3_600)) {
    const { state } = judgeOne(judge, request(second * 1_000), [mark]);
    judge.expire(second * 1_000);
    expect(state).toBe('quarantined');
  }
});

test('a quarantine that goes on is not written with every packet', () => {
  const judge = judgeWith();
  const written = range(1, 6_000).flatMap((tick) => judgeOne(judge, request(tick * 100), [spoofable()]).changes);
  expect(written.length).toBeLessThanOrEqual(6);
});

test('a score fades: 60 points now and 60 points ten minutes later are not enough', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven({ points: 60 })]);
  judgeOne(judge, request(10 * MINUTE), [proven({ points: 60 })]);
  expect(judge.ledger.count('ban')).toBe(0);
});

test('a score fades by a tenth of enough each minute', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven({ points: 60 }), spoofable({ points: 30 })]);
  expect(judge.report(ATTACKER, 'none', 2 * MINUTE).score).toEqual({ proven: 40, spoofable: 10 });
});

test('an event with an earlier time neither raises nor fades a score', () => {
  const judge = judgeWith();
  judgeOne(judge, request(5 * MINUTE), [proven({ points: 50 })]);
  judgeOne(judge, request(0), [proven({ points: 1 })]);
  expect(judge.report(ATTACKER, 'none', 5 * MINUTE).score.proven).toBe(51);
});

test('evidence is bounded in lines and in length', () => {
  const judge = judgeWith();
  for (const minute of range(1, 500)) {
    judgeOne(judge, request(minute * MINUTE), [
      spoofable({ points: 1, rule: `rule-${minute}`, evidence: 'x'.repeat(5_000) }),
    ]);
  }
  const { evidence } = judge.report(ATTACKER, 'none', 500 * MINUTE);
  expect(evidence).toHaveLength(20);
  expect(evidence.every(({ text }) => text.length === 200)).toBe(true);
  expect([evidence[0]?.rule, evidence.at(-1)?.rule]).toEqual(['rule-1', 'rule-500']);
});

test('every ban lists its proof', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [spoofable({ points: 30, rule: 'a' })]);
  judgeOne(judge, request(1), [finding({ rule: 'b', evidence: 'what it did' })]);
  expect(judge.ledger.ban(ATTACKER)).toMatchObject({
    rules: ['a', 'b'],
    evidence: [
      { rule: 'a', tier: 'spoofable' },
      { rule: 'b', tier: 'proven', text: 'what it did', points: 100 },
    ],
  });
});

test('the same events give the same verdicts', () => {
  const run = () => {
    const judge = judgeWith();
    return range(1, 300).map((step) =>
      judgeOne(judge, request(step * 977), [
        finding({ tier: step % 3 === 0 ? 'proven' : 'spoofable', points: step % 40, rule: `r${step % 5}` }),
      ]),
    );
  };
  expect(run()).toEqual(run());
});
