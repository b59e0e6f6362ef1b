import { expect, test } from 'vitest';
import { againstSource, auth, detectorsWith, feed, from, OFFICE, range, registered, SCANNER } from './events.ts';

/** One guess in 20 s for one user from one address; svcrack and its like begin a new call for each. */
const guesses = (count: number, callOf: (attempt: number) => string, everyMs = 20_000, start = 0, ip = SCANNER) =>
  range(1, count).map((attempt) =>
    auth(start + attempt * everyMs, from(ip), 'wrong-password', '1001', { callId: callOf(attempt) }),
  );

test('twelve wrong passwords in twelve calls, however slowly, accuse the source, and never ban it', () => {
  const found = againstSource(
    feed(
      detectorsWith(),
      guesses(40, (attempt) => `guess${attempt}`),
    ),
  );
  expect(found[0]).toMatchObject({ rule: 'digest.slow-guessing', points: 100, tier: 'spoofable', after: 12 });
  expect(found[0]?.evidence).toBe(
    "12 failed attempts for user '1001' within 60 min, each in a call of its own, no success",
  );
  expect(new Set(found.map(({ tier }) => tier))).toEqual(new Set(['spoofable']));
});

test('a phone keeps its Call-ID: an old password for a day accuses only its user', () => {
  const found = feed(
    detectorsWith(),
    guesses(2_880, () => 'phone', 30_000),
  );
  expect(againstSource(found)).toEqual([]);
  expect(found[0]).toMatchObject({ rule: 'digest.wrong-password', accused: { kind: 'user' } });
});

test('a phone that begins a new call when it starts anew, every ten minutes, is no guesser', () => {
  const found = feed(
    detectorsWith(),
    guesses(2_880, (attempt) => `boot${Math.floor(attempt / 20)}`, 30_000),
  );
  expect(againstSource(found)).toEqual([]);
});

test('where somebody authenticates it is an old device, new calls or not', () => {
  const events = [
    registered(0, from(OFFICE), '200', 7_200),
    ...guesses(100, (attempt) => `c${attempt}`, 20_000, 0, OFFICE),
  ];
  expect(againstSource(feed(detectorsWith(), events))).toEqual([]);
});

test('the device itself was accepted there once: never the source', () => {
  const day = 86_400_000;
  const calls = guesses(100, (attempt) => `c${attempt}`, 20_000, 3 * day, OFFICE);
  const events = [registered(0, from(OFFICE), '1001', 600), ...calls];
  expect(againstSource(feed(detectorsWith(), events))).toEqual([]);
});

test('five wrong passwords in five calls within half a minute: the source, before its user is slowed down', () => {
  const found = againstSource(
    feed(
      detectorsWith(),
      guesses(5, (attempt) => `guess${attempt}`, 100),
    ),
  );
  expect(found).toMatchObject([{ rule: 'digest.guessing', points: 100, tier: 'spoofable', after: 5 }]);
});

test('what goes on is proven all the same', () => {
  const found = againstSource(
    feed(
      detectorsWith(),
      guesses(10, (attempt) => `guess${attempt}`, 100),
    ),
  );
  expect(found.map(({ tier, after }) => [tier, after])).toEqual([
    ['spoofable', 5],
    ['proven', 10],
  ]);
});

test('five wrong passwords of a phone within half a minute, in one call, accuse its user only', () => {
  const found = feed(
    detectorsWith(),
    guesses(5, () => 'phone', 100),
  );
  expect(found).toMatchObject([{ rule: 'digest.wrong-password', accused: { kind: 'user' } }]);
});

test('devices that share an account and an old password take turns, each in its call: no guesser', () => {
  const found = feed(
    detectorsWith(),
    guesses(720, (attempt) => `device${attempt % 4}`, 20_000),
  );
  expect(againstSource(found)).toEqual([]);
});

// what baresip 1.0 does with a wrong password, by a capture of ours
test('a phone that answers fifteen challenges within 20 ms, every 40 s, is no guesser', () => {
  const events = range(0, 200).flatMap((round) =>
    range(1, 15).map((answer) =>
      auth(round * 40_000 + answer * 1.3, from(SCANNER), 'wrong-password', '1001', { callId: 'phone' }),
    ),
  );
  expect(againstSource(feed(detectorsWith(), events))).toEqual([]);
});

test('whoever goes on answering for longer is one, in one call or not', () => {
  const every = (ms: number) =>
    againstSource(
      feed(
        detectorsWith(),
        guesses(60, () => 'phone', ms),
      ),
    )[0];
  expect(every(10)).toMatchObject({ rule: 'digest.guessing', tier: 'proven', after: 26 });
  expect(every(50)).toMatchObject({ rule: 'digest.guessing', tier: 'proven', after: 10 });
});
