import { expect, test } from 'vitest';
import {
  againstSource,
  auth,
  detectorsWith,
  feed,
  from,
  OFFICE,
  range,
  registered,
  rulesOf,
  SCANNER,
} from './events.ts';

const attacker = from(SCANNER);
const wrong = (count: number, everyMs: number, user = '200', at = 0) =>
  range(1, count).map((attempt) => auth(at + attempt * everyMs, attacker, 'wrong-password', user));

test('five wrong passwords of one user within a minute accuse that user', () => {
  const found = feed(detectorsWith(), wrong(5, 10_000));
  expect(found).toMatchObject([
    { rule: 'digest.wrong-password', accused: { kind: 'user', user: '200' }, points: 100, tier: 'proven', after: 5 },
  ]);
});

test('the user is accused again at each further five', () => {
  const found = feed(detectorsWith(), wrong(20, 5_000));
  expect(found.map(({ after }) => after)).toEqual([5, 10, 15, 20]);
});

test('wrong passwords further apart accuse nobody', () => {
  expect(feed(detectorsWith(), wrong(50, 160_000))).toEqual([]);
});

test('ten wrong passwords of one user within half a minute accuse the source', () => {
  const found = againstSource(feed(detectorsWith(), wrong(40, 100)));
  expect(found[0]).toMatchObject({ rule: 'digest.guessing', points: 100, tier: 'proven', after: 10 });
});

test('somebody else who authenticated there keeps the source from being accused of guessing', () => {
  const found = feed(detectorsWith(), [auth(0, attacker, 'ok', '100'), ...wrong(40, 100)]);
  expect(againstSource(found)).toEqual([]);
});

test('a registration speaks for its source while it lives', () => {
  const found = feed(detectorsWith(), [registered(0, attacker, '100', 7_200), ...wrong(40, 100, '200', 7_000_000)]);
  expect(againstSource(found)).toEqual([]);
});

test('a success an hour ago no longer does', () => {
  const found = feed(detectorsWith(), [auth(0, attacker, 'ok', '100'), ...wrong(40, 100, '200', 3_700_000)]);
  expect(againstSource(found)[0]?.rule).toBe('digest.guessing');
});

test('a success clears only its own user', () => {
  const events = [...wrong(4, 100, '200'), ...wrong(4, 100, '300'), auth(900, attacker, 'ok', '200')];
  const found = feed(detectorsWith(), [...events, ...wrong(1, 100, '200', 1_000), ...wrong(1, 100, '300', 1_000)]);
  expect(found.map(({ accused }) => accused)).toMatchObject([{ kind: 'user', user: '300' }]);
});

test('failures from one port accuse the user at that port, from several ports the user at the whole address', () => {
  const fail = (index: number, port: number) => auth(index * 20_000, { ...attacker, port }, 'wrong-password', '200');
  const first = feed(
    detectorsWith(),
    range(1, 5).map((index) => fail(index, 6_000)),
  );
  expect(first.map(({ accused }) => accused)).toEqual([{ kind: 'user', user: '200', port: 6_000 }]);
  const moving = feed(
    detectorsWith(),
    range(1, 5).map((index) => fail(index, 6_000 + index)),
  );
  expect(moving.map(({ accused }) => accused)).toEqual([{ kind: 'user', user: '200' }]);
  const moved = feed(
    detectorsWith(),
    range(1, 10).map((index) => fail(index, index < 6 ? 6_000 : 6_001)),
  );
  expect(moved.map(({ accused }) => accused)).toEqual([
    { kind: 'user', user: '200', port: 6_000 },
    { kind: 'user', user: '200' },
  ]);
});

test('five users who fail within an hour, where nobody ever succeeded, are spraying; that never bans', () => {
  const tries = range(1, 8).map((user) => auth(user * 400_000, attacker, 'wrong-password', `30${user}`));
  const found = againstSource(feed(detectorsWith(), tries));
  expect(found[0]).toMatchObject({ rule: 'digest.spraying', points: 100, tier: 'spoofable', after: 5 });
  expect(found[0]?.evidence).toBe('5 users failed within 60 min, none ever succeeded');
});

test('the same where somebody registered, even long ago, accuses nobody', () => {
  const tries = range(1, 8).map((user) => auth(200_000_000 + user * 400_000, attacker, 'wrong-password', `30${user}`));
  expect(againstSource(feed(detectorsWith(), [registered(0, attacker, '200', 600), ...tries]))).toEqual([]);
});

test('users who fail further apart accuse nobody', () => {
  const tries = range(1, 40).map((user) => auth(user * 1_000_000, attacker, 'wrong-password', `30${user}`));
  expect(againstSource(feed(detectorsWith(), tries))).toEqual([]);
});

test('five failing users are spraying', () => {
  const events = range(1, 8).map((user) => auth(user * 60_000, attacker, 'wrong-password', `u${user}x`));
  expect(feed(detectorsWith(), events)[0]).toMatchObject({
    rule: 'digest.spraying',
    accused: { kind: 'source' },
    after: 5,
  });
});

test('five failing users are none where three succeed', () => {
  const good = ['a', 'b', 'c'].map((user) => auth(0, attacker, 'ok', user));
  const events = range(1, 5).map((user) => auth(user * 60_000, attacker, 'wrong-password', `u${user}x`));
  expect(feed(detectorsWith(), [...good, ...events])).toEqual([]);
});

test('phones that were good here and fail for hours accuse themselves, never the address', () => {
  const office = from(OFFICE);
  const phones = range(600, 629);
  const before = phones.map((user) => registered(0, office, String(user)));
  const failing = range(0, 400).flatMap((step) =>
    phones.map((user) => auth(60_000 + step * 30_000, office, 'wrong-password', String(user))),
  );
  const found = feed(detectorsWith(), [...before, ...failing]);
  expect(againstSource(found)).toEqual([]);
  expect(rulesOf(found)).toContain('digest.wrong-password');
  // who was never good there is a stranger to it
  const guess = range(1, 5).map((user) => auth(12_100_000 + user, office, 'wrong-password', `x${user}`));
  expect(rulesOf(againstSource(feed(detectorsWith(), [...before, ...failing, ...guess])))).toEqual(['digest.spraying']);
});

test('four users that do not exist accuse the source', () => {
  const events = range(1, 5).map((user) => auth(user * 60_000, attacker, 'unknown-user', `u${user}x`));
  const found = feed(detectorsWith(), events);
  expect(found[0]).toMatchObject({
    rule: 'digest.unknown-users',
    accused: { kind: 'source' },
    tier: 'proven',
    after: 4,
  });
});

test('stale and re-used nonces weigh nothing', () => {
  const events = range(1, 100).flatMap((index) => [
    auth(index * 10, attacker, 'stale', '200'),
    auth(index * 10, attacker, 'nonce-reused', '200'),
  ]);
  expect(feed(detectorsWith(), events)).toEqual([]);
});

test('forged nonces weigh little, and only when one user keeps sending them', () => {
  const once = range(1, 60).map((user) => auth(user, attacker, 'forged-nonce', String(user * 7)));
  expect(feed(detectorsWith(), once)).toEqual([]);
  const often = range(1, 5).map((attempt) => auth(attempt * 100, attacker, 'forged-nonce', '200'));
  expect(feed(detectorsWith(), often)).toMatchObject([{ rule: 'digest.forged-nonce', points: 10, tier: 'spoofable' }]);
});

test('forged failures neither add to the proof nor weaken it', () => {
  const forged = range(1, 9).map((attempt) =>
    auth(attempt * 600, attacker, 'wrong-password', '200', { tier: 'spoofable' }),
  );
  const proven = range(1, 9).map((attempt) => auth(6_000 + attempt * 600, attacker, 'wrong-password', '200'));
  expect(againstSource(feed(detectorsWith(), [...forged, ...proven]))).toEqual([]);
  const tenth = feed(detectorsWith(), [...forged, ...proven, auth(12_000, attacker, 'wrong-password', '200')]);
  expect(againstSource(tenth)).toMatchObject([{ rule: 'digest.guessing', tier: 'proven' }]);
});

test('a flood of forged names does not make a source forget its customers', () => {
  const good = auth(0, from(OFFICE), 'ok', '200');
  const flood = range(1, 2_000).map((index) =>
    auth(index, from(OFFICE), 'wrong-password', `f${index}`, { tier: 'spoofable' }),
  );
  const guesses = range(1, 20).map((index) => auth(3_000 + index, from(OFFICE), 'wrong-password', '201'));
  const found = feed(detectorsWith({ enumeration: { enabled: false } }), [good, ...flood, ...guesses]);
  expect(rulesOf(againstSource(found).filter(({ tier }) => tier === 'proven'))).toEqual([]);
});

test('one user tried from many addresses accuses nobody', () => {
  const events = range(1, 200).map((index) => auth(index, from(`198.51.100.${index}`), 'wrong-password', '200'));
  expect(feed(detectorsWith(), events)).toEqual([]);
});
