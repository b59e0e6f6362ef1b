/**
 * The hardest hour of an office: 60 phones behind one address come back at once, one of them has an old password and
 * never stops. Real detectors, the judge and what Kamailio's script does with verdicts, on a virtual clock.
 */
import { expect, test } from 'vitest';
import type { Outcome, Request, SourceState } from '../../../src/model/index.ts';
import { detectorsWith } from '../detect/events.ts';
import { HOUR, MINUTE, OFFICE, ask, auth, from, judgeWith, nothingKnown, range, registered, seeded } from './build.ts';

const PHONES = range(200, 259).map(String);
const BAD = '230';
const EXPIRES_S = 300;
const ANSWER_MS = 60;

interface Registration {
  readonly user: string;
  readonly port: number;
  readonly at: number;
}

/** What the server's script and the registrar do with a phone's registration, driven by what the judge decided. */
const officeHour = (badEveryMs: number, transport: 'udp' | 'tcp', enforced: boolean) => {
  const random = seeded(3);
  const detectors = detectorsWith();
  const judge = judgeWith();
  const notGood: string[] = [];
  const states = new Set<SourceState>();
  const intervals = new Set<number>();
  const nextAttempt = new Map<string, number>();
  let attempts = 0;
  let passed = 0;
  let harmed = 0;

  const see = (event: Request | Outcome) => {
    const verdict = judge.judge(event, nothingKnown, detectors.detect(event, nothingKnown));
    states.add(verdict.state);
    for (const { op, entry } of verdict.changes)
      if (op === 'put' && entry.kind === 'throttle-user') intervals.add(entry.intervalSeconds);
    return verdict;
  };
  /** The brake of (ip, user), then of (ip, port, user), as COMPANION applies it to requests with credentials. */
  const braked = (user: string, port: number, at: number): boolean => {
    const entry =
      judge.ledger.get(`throttle-user ${OFFICE} * ${user}`) ??
      judge.ledger.get(`throttle-user ${OFFICE} ${port} ${user}`);
    if (!enforced || entry?.kind !== 'throttle-user') return false;
    if ((nextAttempt.get(user) ?? 0) > at) return true;
    nextAttempt.set(user, at + entry.intervalSeconds * 1_000);
    return false;
  };
  const register = ({ user, port, at }: Registration): void => {
    const source = from(OFFICE, port, transport);
    const good = judge.ledger.good(OFFICE, port, user) !== undefined;
    const bad = user === BAD;
    const first = see(ask(at, source, 'REGISTER', user, { standing: good ? 'good' : 'stranger' }));
    if (first.answer === 'drop' && !bad) harmed += 1;
    const then = at + ANSWER_MS;
    if (bad) attempts += 1;
    if (!good && braked(user, port, then)) {
      if (!bad) harmed += 1;
      return;
    }
    if (bad) passed += 1;
    const answered = see(
      ask(then, source, 'REGISTER', user, { credentials: 'bound', standing: good ? 'good' : 'stranger' }),
    );
    if (answered.answer !== 'allow') harmed += 1;
    see(auth(then, source, bad ? 'wrong-password' : 'ok', user));
    if (!bad) see(registered(then, source, user, EXPIRES_S));
  };

  const plan: Registration[] = [];
  for (const [index, user] of PHONES.entries()) {
    const everyMs = user === BAD ? badEveryMs : EXPIRES_S * 900;
    const start = random() * 500;
    for (let at = start; at < HOUR; at += everyMs) plan.push({ user, port: 10_000 + index, at });
  }
  plan.sort((a, b) => a.at - b.at);
  let expireAt = 0;
  for (const registration of plan) {
    for (; expireAt <= registration.at; expireAt += 500) judge.expire(expireAt);
    register(registration);
    if (registration.at < 2_000) continue;
    for (const [index, user] of PHONES.entries())
      if (user !== BAD && judge.ledger.good(OFFICE, 10_000 + index, user) === undefined) notGood.push(user);
  }
  return { judge, notGood: new Set(notGood), states, intervals: [...intervals], harmed, attempts, passed };
};

const CASES = [30_000, 1_000].flatMap((every) =>
  (['udp', 'tcp'] as const).flatMap((transport) => [true, false].map((enforced) => ({ every, transport, enforced }))),
);

test.each(CASES)('an hour with a wrong password every $every ms over $transport (enforced: $enforced)', (it) => {
  const hour = officeHour(it.every, it.transport, it.enforced);
  console.log(
    `wrong password every ${it.every / 1_000} s, ${it.transport}, ${it.enforced ? 'enforced' : 'not enforced'}: ` +
      `${hour.passed} of ${hour.attempts} attempts reached the registrar, intervals ${hour.intervals.join(', ') || 'none'} s`,
  );
  // nobody is banned, and nobody but the bad phone is held back in any way
  expect(hour.states.has('banned')).toBe(false);
  expect(hour.judge.ladder.next(OFFICE, HOUR).level).toBe(1);
  expect(hour.harmed).toBe(0);
  expect([...hour.notGood]).toEqual([]);
  for (const entry of hour.judge.ledger.entries('throttle-user')) expect(entry).toMatchObject({ user: BAD });
  // the rest of the address stays what it was
  expect([...hour.judge.ledger.entries('throttle')]).toEqual([]);
});

test.each(['udp', 'tcp'] as const)(
  'a wrong password every second over %s is slowed down to one attempt in 20 s',
  (transport) => {
    const hour = officeHour(1_000, transport, true);
    expect(hour.intervals.toSorted((a, b) => a - b)).toEqual([1, 5, 20]);
    expect(hour.passed).toBeLessThan(hour.attempts / 4);
  },
);

test('a wrong password every 30 s is slower than the slowest brake: throttled, and still heard every time', () => {
  const hour = officeHour(30_000, 'udp', true);
  expect(hour.intervals.toSorted((a, b) => a - b)).toEqual([1, 5, 20]);
  expect(hour.passed).toBe(hour.attempts);
});

test("a phone with the right password is not held back by the same user's other phone behind the address", () => {
  const { judge } = officeHour(1_000, 'udp', true);
  const brakes = [...judge.ledger.entries('throttle-user')];
  expect(brakes).toMatchObject([{ subject: OFFICE, user: BAD, port: 10_030 }]);
});

test('the bad phone gets in at once when its password is put right', () => {
  const { judge } = officeHour(1_000, 'udp', true);
  const source = from(OFFICE, 10_030);
  judge.judge(auth(HOUR + MINUTE, source, 'ok', BAD), nothingKnown, []);
  expect(judge.ledger.count('throttle-user')).toBe(0);
});
