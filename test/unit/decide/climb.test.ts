import { expect, test } from 'vitest';
import type { Facts } from '../../../src/model/index.ts';
import {
  ATTACKER,
  DAY,
  HOUR,
  MINUTE,
  OFFICE,
  accusing,
  ask,
  auth,
  factsOf,
  from,
  judgeOne,
  judgeWith,
  proven,
  puts,
  range,
  registered,
  spoofable,
  told,
} from './build.ts';

const source = from(ATTACKER);
const request = (at: number, ip = ATTACKER, port = 5060) => ask(at, from(ip, port), 'REGISTER', '100');

/** Other customers elsewhere, so that the address in question does not carry a share of all of them. */
const withCustomers = (settings: object = {}) => {
  const judge = judgeWith(settings);
  for (const host of range(1, 40)) judgeOne(judge, registered(0, from(`192.0.2.${host}`), `u${host}`, 86_400));
  return judge;
};

// may this address be banned?

test('an address with one known-good user is quarantined instead of banned', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice'));
  const { changes, state } = judgeOne(judge, request(1, OFFICE), [proven()]);
  expect(told(changes)).toEqual([`+quarantine ${OFFICE}`]);
  expect(state).toBe('quarantined');
  expect(judge.spared['good-users']).toBe(1);
});

test('a quarantine in place of a ban says why', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice'));
  judgeOne(judge, request(1, OFFICE), [proven()]);
  expect(judge.ledger.quarantine(OFFICE)).toMatchObject({ reason: 'enumeration.distinct, not banned: good-users' });
});

test('a ban that was turned into quarantine is counted once, however long the attack goes on', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice'));
  for (const step of range(1, 1_000)) judgeOne(judge, request(step, OFFICE), [proven()]);
  expect(judge.spared['good-users']).toBe(1);
});

test('once its users are gone the address is banned', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice', 60));
  judgeOne(judge, request(1, OFFICE), [proven()]);
  judge.expire(80_000);
  expect(judgeOne(judge, request(80_000, OFFICE), [proven()]).state).toBe('banned');
});

test('an address is spared for an hour after somebody authenticated there, also when no good entry stands', () => {
  const judge = withCustomers({ false_alarm_weight: 1 });
  judgeOne(judge, auth(0, from(OFFICE, 6_000), 'ok', 'alice'));
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice', 60));
  judge.expire(80_000);
  expect(judge.ledger.hasGood(OFFICE)).toBe(false);
  expect(judgeOne(judge, request(80_000, OFFICE), [proven()]).state).toBe('quarantined');
  expect(judge.spared['good-users']).toBe(1);
  expect(judgeOne(judge, request(HOUR, OFFICE), [proven()]).state).toBe('banned');
});

test('a guesser who never succeeds is banned', () => {
  const judge = withCustomers();
  const guess = auth(1, from(OFFICE), 'wrong-password', 'alice');
  expect(judgeOne(judge, guess, [proven({ family: 'guess' })]).state).toBe('banned');
});

test('how many users protect an address is a setting', () => {
  const judge = withCustomers({ ban_with_good_users: 1 });
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice'));
  expect(judgeOne(judge, request(1, OFFICE), [proven()]).state).toBe('banned');
});

test('an address that carries 30 % of all known-good users is never banned', () => {
  const judge = withCustomers({ ban_with_good_users: 1_000 });
  for (const port of range(1, 18)) judgeOne(judge, registered(0, from(OFFICE, 6_000 + port), `o${port}`));
  expect(judgeOne(judge, request(1, OFFICE), [proven()]).state).toBe('quarantined');
  expect(judge.spared['behind-a-proxy']).toBe(1);
});

test('an address that carries less may be', () => {
  const judge = withCustomers({ ban_with_good_users: 1_000 });
  for (const port of range(1, 16)) judgeOne(judge, registered(0, from(OFFICE, 6_000 + port), `o${port}`));
  expect(judgeOne(judge, request(1, OFFICE), [proven()]).state).toBe('banned');
});

test('the share counts bindings on both sides: users with several phones hide no proxy', () => {
  const judge = judgeWith({ ban_with_good_users: 1_000 });
  for (const port of range(1, 60)) judgeOne(judge, registered(0, from(OFFICE, 6_000 + port), `o${port % 10}`));
  for (const host of range(1, 10)) judgeOne(judge, registered(0, from(`192.0.2.${host}`), `u${host}`));
  judgeOne(judge, request(1, OFFICE), [proven()]);
  expect(judge.spared['behind-a-proxy']).toBe(1);
});

test('private addresses are quarantined instead of banned', () => {
  const judge = withCustomers();
  const facts: Facts = factsOf({ privateRange: true });
  expect(judgeOne(judge, request(1, '10.0.0.7'), [proven()], facts).state).toBe('quarantined');
  expect(judge.spared['private-range']).toBe(1);
});

test('banning private addresses is a setting', () => {
  const judge = withCustomers({ ban_private: true });
  expect(judgeOne(judge, request(1, '10.0.0.7'), [proven()], factsOf({ privateRange: true })).state).toBe('banned');
});

test('own addresses are never judged', () => {
  const verdict = judgeOne(judgeWith(), request(1), [proven()], factsOf({ own: true }));
  expect(verdict).toMatchObject({ state: 'allowed', changes: [] });
});

// the ladder

/** Bans it, waits until the ban has ended, and bans it again. */
const banDurations = (settings: object, times: number, pauseMs = 0): (number | null)[] => {
  const judge = judgeWith(settings);
  let at = 0;
  return range(1, times).map(() => {
    const [ban] = puts(judgeOne(judge, request(at), [proven()]).changes).filter(({ kind }) => kind === 'ban');
    if (ban === undefined || ban.until === null) return null;
    const length = ban.until - at;
    at = ban.until + pauseMs;
    judge.expire(at);
    return length / HOUR;
  });
};

test('bans of one source last 1 h, 2 h, 4 h … and are capped', () => {
  expect(banDurations({}, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 168, 168]);
});

test('the first rung and the cap are settings', () => {
  expect(banDurations({ ban_time: '10m', ban_time_max: '30m' }, 3)).toEqual([1 / 6, 1 / 3, 1 / 2]);
});

test('a source that stays clean for two weeks starts at the first rung again', () => {
  expect(banDurations({}, 3, 14 * DAY + 1)).toEqual([1, 1, 1]);
  expect(banDurations({}, 3, 14 * DAY - 1)).toEqual([1, 2, 4]);
});

test('permanent_after: the third proven ban has no end', () => {
  expect(banDurations({ permanent_after: 3 }, 3)).toEqual([1, 2, null]);
});

test('a ban without end does not end', () => {
  const judge = judgeWith({ permanent_after: 1 });
  judgeOne(judge, request(0), [proven()]);
  expect(judge.expire(3_650 * DAY)).toEqual([]);
});

test('a ban ends on time, into quarantine', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven()]);
  expect(judge.expire(HOUR - 1)).toEqual([]);
  expect(told(judge.expire(HOUR))).toEqual([`-ban ${ATTACKER}`, `+quarantine ${ATTACKER}`]);
  expect(judge.ledger.quarantine(ATTACKER)).toMatchObject({ reason: 'after a ban', until: HOUR + 10 * MINUTE });
});

test('the quarantine after a ban ends too', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven()]);
  judge.expire(HOUR);
  expect(told(judge.expire(HOUR + 10 * MINUTE))).toEqual([`-quarantine ${ATTACKER}`]);
  expect(judgeOne(judge, request(2 * HOUR)).state).toBe('stranger');
});

test("an operator's ban ends without quarantine", () => {
  const judge = judgeWith();
  judge.ledger.put({
    kind: 'ban',
    subject: ATTACKER,
    level: 0,
    rules: [],
    evidence: [],
    since: 0,
    until: 1_000,
    origin: 'operator',
    reason: 'x',
  });
  expect(told(judge.expire(1_000))).toEqual([`-ban ${ATTACKER}`]);
});

test('evidence during a ban does not ban again', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven()]);
  const during = range(1, 100).flatMap((step) => judgeOne(judge, request(step), [proven()]).changes);
  expect(during).toEqual([]);
});

test('a ban takes the place of quarantine and throttle', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [spoofable({ rule: 'a' }), proven({ family: 'flood', rule: 'b' })]);
  expect(told(judgeOne(judge, request(1), [proven()]).changes)).toEqual([
    `-quarantine ${ATTACKER}`,
    `-throttle ${ATTACKER}`,
    `+ban ${ATTACKER}`,
  ]);
});

test('a ban is paid when it ends: one small finding does not bring it back', () => {
  const judge = judgeWith({ ban_time: '1s' });
  judgeOne(judge, request(0), [proven()]);
  judge.expire(1_000);
  judgeOne(judge, request(1_001), [proven({ points: 1 })]);
  expect(judge.ledger.count('ban')).toBe(0);
});

test('the mark of a tool counts again after a ban', () => {
  const judge = judgeWith({ ban_time: '1s' });
  const tool = proven({ family: 'tool', rule: 'scanner.user-agent' });
  judgeOne(judge, request(0), [tool]);
  judge.expire(1_000);
  expect(judgeOne(judge, request(1_001), [tool])).toMatchObject({
    state: 'banned',
    changes: [{}, { entry: { level: 2 } }],
  });
});

test('a restored rung goes on where it was', () => {
  const judge = judgeWith();
  judge.ladder.restore({ subject: ATTACKER, level: 3, lastUntil: 0 });
  const [ban] = puts(judgeOne(judge, request(1), [proven()]).changes);
  expect(ban).toMatchObject({ level: 4, until: 1 + 8 * HOUR });
});

test('forgiven, a source starts anew on its rung', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0), [proven()]);
  judge.ledger.remove(`ban ${ATTACKER}`, 'operator');
  judge.forgive(ATTACKER, 1);
  expect(judge.report(ATTACKER, 'none', 1)).toMatchObject({ state: 'stranger', score: { proven: 0, spoofable: 0 } });
  expect(puts(judgeOne(judge, request(2), [proven()]).changes)[0]).toMatchObject({ level: 2 });
});

// users that guess

const accuse = (judge: ReturnType<typeof judgeWith>, at: number, user: string, port = 5060) =>
  judgeOne(judge, auth(at, from(OFFICE, port), 'wrong-password', user), [accusing(user)]);

test('a user that is accused again and again gets one attempt in 1, 5, 20 seconds', () => {
  const judge = judgeWith();
  const intervals = range(0, 4).map((step) => {
    const [entry] = puts(accuse(judge, step * MINUTE, 'carol').changes);
    return entry?.kind === 'throttle-user' ? entry.intervalSeconds : undefined;
  });
  expect(intervals).toEqual([1, 5, 20, 20, 20]);
});

test('an accused user touches nobody else at that address', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from(OFFICE, 6_000), 'alice'));
  for (const step of range(1, 20)) accuse(judge, step * 1_000, 'carol');
  expect([...judge.ledger.entries('ban', 'quarantine', 'throttle')]).toEqual([]);
  expect([...judge.ledger.entries('throttle-user')]).toMatchObject([{ subject: OFFICE, user: 'carol' }]);
  expect(judge.ledger.good(OFFICE, 6_000, 'alice')).toBeDefined();
  expect(judge.report(OFFICE, 'none', 20_000).score).toEqual({ proven: 0, spoofable: 0 });
});

test('an accused user is throttled at that address only', () => {
  const judge = judgeWith();
  accuse(judge, 0, 'carol');
  expect([...judge.ledger.entries('throttle-user')]).toHaveLength(1);
  expect(judgeOne(judge, request(1, '192.0.2.1')).state).toBe('stranger');
});

test('a proven accusation revokes that user at that port only', () => {
  const judge = judgeWith();
  for (const port of [6_000, 6_001]) judgeOne(judge, registered(0, from(OFFICE, port), 'carol'));
  accuse(judge, 1, 'carol', 6_001);
  expect([...judge.ledger.goodOf(OFFICE)]).toMatchObject([{ port: 6_000 }]);
});

test.each([
  ['of the user', accusing('alice')],
  ['of the source', proven({ rule: 'digest.guessing', family: 'guess' })],
])(
  'a known-good user who guesses as somebody else is revoked by proven evidence %s, at that port only',
  (_what, found) => {
    const judge = withCustomers();
    for (const port of [6_000, 6_001]) judgeOne(judge, registered(0, from(OFFICE, port), 'mallory'));
    judgeOne(judge, registered(0, from(OFFICE, 6_002), 'alice'));
    judgeOne(judge, { ...auth(1, from(OFFICE, 6_001), 'wrong-password', 'alice'), claimed: 'mallory' }, [found]);
    expect([...judge.ledger.goodOf(OFFICE)]).toMatchObject([
      { port: 6_000, user: 'mallory' },
      { port: 6_002, user: 'alice' },
    ]);
  },
);

test('evidence that could be forged revokes nobody', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from(OFFICE, 6_001), 'mallory'));
  const guess = { ...auth(1, from(OFFICE, 6_001), 'wrong-password', 'alice'), claimed: 'mallory' };
  judgeOne(judge, guess, [accusing('alice', { tier: 'spoofable' }), spoofable()]);
  expect(judge.ledger.good(OFFICE, 6_001, 'mallory')).toBeDefined();
});

test('a shorter registration shortens no known-good entry, a longer one prolongs it, its end removes it', () => {
  const judge = judgeWith();
  const phone = from(OFFICE, 6_000);
  const end = () => judge.ledger.good(OFFICE, 6_000, 'alice')?.until;
  judgeOne(judge, registered(0, phone, 'alice', 3_600));
  expect(judgeOne(judge, registered(1_000, phone, 'alice', 60)).changes).toEqual([]);
  expect(end()).toBe(1.2 * HOUR);
  judgeOne(judge, registered(2_000, phone, 'alice', 3_600));
  expect(end()).toBe(1.2 * HOUR + 2_000);
  judgeOne(judge, registered(3_000, phone, 'alice', 0));
  expect(end()).toBeUndefined();
});

test('a success lifts the throttle of that user and of nobody else', () => {
  const judge = judgeWith();
  accuse(judge, 0, 'carol');
  accuse(judge, 1, 'dave');
  expect(told(judgeOne(judge, auth(2, from(OFFICE), 'ok', 'carol')).changes)).toEqual([`-throttle-user ${OFFICE}`]);
  expect([...judge.ledger.entries('throttle-user')]).toMatchObject([{ user: 'dave' }]);
});

test('after a success the throttle starts at its first rung', () => {
  const judge = judgeWith();
  for (const step of range(0, 3)) accuse(judge, step, 'carol');
  judgeOne(judge, auth(5, from(OFFICE), 'ok', 'carol'));
  expect(puts(accuse(judge, 6, 'carol').changes)).toMatchObject([{ intervalSeconds: 1 }]);
});

test('the throttle of a user ends by itself', () => {
  const judge = judgeWith();
  accuse(judge, 0, 'carol');
  expect(told(judge.expire(10 * MINUTE))).toEqual([`-throttle-user ${OFFICE}`]);
});

test('names that guess push out no rung of those that are known', () => {
  const judge = judgeWith();
  for (const name of range(1, 32)) accuse(judge, name, `user${name}`);
  for (const step of range(33, 40)) accuse(judge, step, 'user32');
  expect(puts(accuse(judge, 50, 'user1').changes)).toMatchObject([{ intervalSeconds: 5 }]);
});

test('users are counted for the report', () => {
  const judge = judgeWith();
  judgeOne(judge, auth(0, from(OFFICE), 'ok', 'alice'));
  judgeOne(judge, auth(1, from(OFFICE), 'wrong-password', 'carol'));
  judgeOne(judge, auth(2, from(OFFICE), 'stale', 'alice'));
  expect(judge.report(OFFICE, 'none', 3).users).toEqual([
    { user: 'alice', ok: 1, failed: 0 },
    { user: 'carol', ok: 0, failed: 1 },
  ]);
});

// IPv6

test('many addresses of one /64 count together', () => {
  const judge = judgeWith();
  for (const host of range(1, 10)) {
    judgeOne(judge, request(host, `2001:db8:1:2::${host}`), [proven({ rule: `r${host}`, points: 10 })]);
  }
  expect([...judge.ledger.entries('ban')]).toMatchObject([{ subject: '2001:db8:1:2::/64' }]);
  expect(judgeOne(judge, request(20, '2001:db8:1:2:aaaa::1')).state).toBe('banned');
});

test('the next /64 is somebody else', () => {
  const judge = judgeWith();
  judgeOne(judge, request(0, '2001:db8:1:2::1'), [proven()]);
  expect(judgeOne(judge, request(1, '2001:db8:1:3::1')).state).toBe('stranger');
});

test('a known-good phone anywhere in the /64 saves it from a ban', () => {
  const judge = withCustomers();
  judgeOne(judge, registered(0, from('2001:db8:1:2::99'), 'alice'));
  expect(judgeOne(judge, request(1, '2001:db8:1:2::1'), [proven()]).state).toBe('quarantined');
});

test('a source without findings leaves no trace in memory', () => {
  const judge = judgeWith();
  judgeOne(judge, ask(0, source, 'REGISTER', '1'));
  expect(judge.sources.size).toBe(0);
});
