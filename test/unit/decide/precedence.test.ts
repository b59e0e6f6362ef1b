import { expect, test } from 'vitest';
import type { SourceState, Standing } from '../../../src/model/index.ts';
import {
  ATTACKER,
  ask,
  auth,
  factsOf,
  from,
  judgeOne,
  judgeWith,
  nothingKnown,
  proven,
  range,
  registered,
  reply,
  spoofable,
  told,
} from './build.ts';

const phone = from(ATTACKER, 5060);
const request = (user: string, port = 5060, part = {}) => {
  const asked = ask(1_000, from(ATTACKER, port), 'INVITE', '200', part);
  return { ...asked, sip: { ...asked.sip, from: { ...asked.sip.from, user } } };
};

/** A judge whose ledger holds all of these for ATTACKER. */
const holding = (...states: readonly SourceState[]) => {
  const judge = judgeWith();
  const base = {
    subject: ATTACKER,
    since: 0,
    until: null,
    origin: 'detector',
    reason: 'test',
    rules: [],
    evidence: [],
  } as const;
  for (const state of states) {
    if (state === 'good') judge.ledger.put({ ...base, kind: 'good', ip: ATTACKER, port: 5060, user: 'alice' });
    if (state === 'banned') judge.ledger.put({ ...base, kind: 'ban', level: 1 });
    if (state === 'quarantined') judge.ledger.put({ ...base, kind: 'quarantine' });
    if (state === 'throttled') judge.ledger.put({ ...base, kind: 'throttle', perSecond: 10 });
  }
  return judge;
};

test.each([
  [['good', 'banned', 'quarantined', 'throttled'], 'allow', 'allowed', 'allow'],
  [['good', 'banned', 'quarantined', 'throttled'], 'none', 'good', 'allow'],
  [['good'], 'deny', 'good', 'allow'],
  [['banned', 'quarantined', 'throttled'], 'deny', 'denied', 'drop'],
  [['banned', 'quarantined', 'throttled'], 'none', 'banned', 'drop'],
  [['quarantined', 'throttled'], 'none', 'quarantined', 'challenge'],
  [['throttled'], 'none', 'throttled', 'allow'],
  [[], 'none', 'stranger', 'allow'],
] as const)('of %j with list %s, %s wins', (states, list, state, answer) => {
  expect(judgeOne(holding(...states), request('alice'), [], factsOf({ list }))).toMatchObject({ state, answer });
});

test('known-good is one user at one address and port', () => {
  const judge = holding('good', 'banned');
  expect(judgeOne(judge, request('bob')).state).toBe('banned');
  expect(judgeOne(judge, request('alice', 5061)).state).toBe('banned');
});

test('the allow list and own addresses are never accused', () => {
  const judge = judgeWith();
  for (const facts of [factsOf({ list: 'allow' }), factsOf({ own: true })]) {
    expect(judgeOne(judge, request('x'), [proven()], facts)).toMatchObject({
      answer: 'allow',
      changes: [],
      findings: [],
    });
  }
  expect(judge.report(ATTACKER, 'none', 1_000)).toMatchObject({ state: 'stranger', score: { proven: 0 } });
});

test('quarantine lets credentials pass that are bound to the source', () => {
  expect(judgeOne(holding('quarantined'), request('x', 5060, { credentials: 'bound' })).answer).toBe('allow');
});

test('quarantine challenges credentials on a foreign nonce', () => {
  expect(judgeOne(holding('quarantined'), request('x', 5060, { credentials: 'unbound' })).answer).toBe('challenge');
});

test('in quarantine a tool gets silence', () => {
  const tool = spoofable({ family: 'tool', rule: 'scanner.user-agent' });
  expect(judgeOne(holding('quarantined'), request('x'), [tool]).answer).toBe('drop');
});

test('a doubtful mark of a tool is still challenged', () => {
  const tool = spoofable({ family: 'tool', rule: 'scanner.user-agent', points: 40 });
  expect(judgeOne(holding('quarantined'), request('x'), [tool]).answer).toBe('challenge');
});

test('a ban drops bound credentials as well', () => {
  expect(judgeOne(holding('banned'), request('x', 5060, { credentials: 'bound' })).answer).toBe('drop');
});

test('outcomes are over: they are answered with allow in every state', () => {
  expect(judgeOne(holding('banned'), reply(0, phone, 404, 'INVITE', '1')).answer).toBe('allow');
});

test.each<Standing>(['stranger', 'good', 'in-dialog', 'quarantined', 'throttled', 'over-budget', 'dropped'])(
  'what the server took the sender for (%s) does not change the verdict',
  (standing) => {
    expect(judgeOne(holding('quarantined'), request('x', 5060, { standing })).answer).toBe('challenge');
  },
);

// known-good: how it comes and goes

test('a registration makes the user known-good for 1.2 times the granted time', () => {
  const judge = judgeWith();
  judgeOne(judge, registered(0, phone, 'alice', 60));
  expect(judge.ledger.good(ATTACKER, 5060, 'alice')).toMatchObject({ until: 72_000, reason: 'registered' });
});

test('an un-registration ends it', () => {
  const judge = judgeWith();
  judgeOne(judge, registered(0, phone, 'alice', 60));
  expect(told(judgeOne(judge, registered(1, phone, 'alice', 0)).changes)).toEqual([`-good ${ATTACKER}`]);
});

test('known-good ends with the registration', () => {
  const judge = judgeWith();
  judgeOne(judge, registered(0, phone, 'alice', 60));
  expect(judge.expire(71_999)).toEqual([]);
  expect(told(judge.expire(72_000))).toEqual([`-good ${ATTACKER}`]);
});

test('a registration that was renewed is not ended by the old one', () => {
  const judge = judgeWith();
  judgeOne(judge, registered(0, phone, 'alice', 60));
  judgeOne(judge, registered(50_000, phone, 'alice', 60));
  expect(judge.expire(100_000)).toEqual([]);
});

test('an authenticated call makes the caller known-good for an hour', () => {
  const judge = judgeWith();
  judgeOne(judge, auth(0, phone, 'ok', 'alice', { method: 'INVITE' }));
  expect(judge.ledger.good(ATTACKER, 5060, 'alice')).toMatchObject({ until: 3_600_000 });
});

test('an authenticated REGISTER alone does not: the binding may be refused', () => {
  const judge = judgeWith();
  judgeOne(judge, auth(0, phone, 'ok', 'alice'));
  expect(judge.ledger.count('good')).toBe(0);
});

test('a success that proves nothing makes nobody known-good', () => {
  const judge = judgeWith();
  judgeOne(judge, auth(0, phone, 'ok', 'alice', { method: 'INVITE', tier: 'spoofable' }));
  expect(judge.ledger.count('good')).toBe(0);
});

const known = () => {
  const judge = judgeWith();
  for (const [user, port] of [
    ['alice', 5060],
    ['alice', 5061],
    ['bob', 5060],
  ] as const)
    judgeOne(judge, registered(0, from(ATTACKER, port), user));
  return judge;
};
const left = (judge: ReturnType<typeof known>): string[] =>
  [...judge.ledger.goodOf(ATTACKER)].map(({ user, port }) => `${user} ${port}`);

test('proven evidence revokes exactly that address, port and user', () => {
  const judge = known();
  judgeOne(judge, request('alice'), [proven({ points: 10 })]);
  expect(left(judge)).toEqual(['alice 5061', 'bob 5060']);
});

test('proven evidence in an outcome revokes the user of the request', () => {
  const judge = known();
  judgeOne(judge, { ...reply(1_000, phone, 404, 'INVITE', '999'), user: 'alice' }, [proven()]);
  expect(left(judge)).toEqual(['alice 5061', 'bob 5060']);
});

test('spoofable evidence revokes nobody, whatever it weighs', () => {
  const judge = known();
  for (const step of range(1, 50)) judgeOne(judge, { ...request('alice'), at: step * 1_000 }, [spoofable()]);
  expect(left(judge)).toHaveLength(3);
  expect(judgeOne(judge, request('alice')).state).toBe('good');
});

test('proven evidence from another port revokes nobody', () => {
  const judge = known();
  judgeOne(judge, request('alice', 6_000), [proven({ points: 10 })]);
  expect(left(judge)).toHaveLength(3);
});

test('a proven flood revokes nobody', () => {
  const judge = known();
  judgeOne(judge, request('alice'), [proven({ family: 'flood' })]);
  expect(left(judge)).toHaveLength(3);
});

test('what is allowed stays so when the user is known-good as well', () => {
  expect(judgeOne(holding('good'), request('alice'), [], { ...nothingKnown, list: 'allow' }).state).toBe('allowed');
});
