import { expect, test } from 'vitest';
import type { Outcome, Request } from '../../../src/model/index.ts';
import { againstSource, ask, auth, detectorsWith, feed, from, range, registers, SCANNER, seeded } from './events.ts';

const HOUR = 3_600_000;
const home = (index: number) => from(`100.80.${index >> 8}.${index & 255}`, 1_024 + index);
const storms = (found: ReturnType<typeof feed>) => found.filter(({ rule }) => rule === 'digest.registration-storm');

/** Phones that are known, and refresh over ten minutes from then on. */
const town = (count: number, rounds = 3): (Request | Outcome)[] =>
  range(0, count - 1).flatMap((index) =>
    range(0, rounds - 1).flatMap((round) =>
      registers(Math.floor((index * 600_000) / count) + round * 600_000, home(index), `p${index}`),
    ),
  );

/** All of them within a minute; the server's database is not back yet and refuses them for so long. */
const storm = (count: number, at: number, refusedMs = 0): (Request | Outcome)[] => {
  const random = seeded(5);
  return range(0, count - 1).flatMap((index) => {
    const begins = at + Math.floor(random() * 60_000);
    const tries = refusedMs === 0 ? 1 : 8;
    return range(0, tries - 1).flatMap((attempt) => {
      const now = begins + attempt * 5_000;
      if (now - at >= refusedMs) return registers(now, home(index), `p${index}`);
      return [
        ask(now, home(index), 'REGISTER', `p${index}`),
        ask(now + 60, home(index), 'REGISTER', `p${index}`, { credentials: 'bound' as const }),
        auth(now + 61, home(index), 'wrong-password', `p${index}`),
      ];
    });
  });
};

test('2,000 known phones within a minute are a storm: it begins, it ends, it accuses nobody', () => {
  const found = feed(detectorsWith(), [
    ...town(2_000),
    ...storm(2_000, HOUR),
    ...town(100, 1).map((event) => ({ ...event, at: event.at + HOUR + 120_000 })),
  ]);
  expect(storms(found)).toMatchObject([
    { family: 'notice', accused: { kind: 'nobody' }, ends: false },
    { family: 'notice', accused: { kind: 'nobody' }, ends: true },
  ]);
  expect(storms(found)[0]?.evidence).toMatch(
    /^registration storm: \d+ known phones register within 10 s, usually \d+; failures/,
  );
  expect(storms(found)[1]?.evidence).toMatch(/^registration storm over after \d+ s and \d+ registrations$/);
  expect(found.filter(({ family }) => family !== 'notice')).toEqual([]);
});

test('what the server refuses to known phones in a storm does not count, not even against their users', () => {
  const found = feed(detectorsWith(), [...town(2_000), ...storm(2_000, HOUR, 90_000)]);
  expect(storms(found).length).toBeGreaterThan(0);
  expect(found.filter(({ family }) => family !== 'notice')).toEqual([]);
});

test('without a storm it does', () => {
  const found = feed(detectorsWith({ digest_guessing: { storm_phones: 1_000_000 } }), [
    ...town(2_000),
    ...storm(2_000, HOUR, 90_000),
  ]);
  expect(found.some(({ rule }) => rule === 'digest.wrong-password')).toBe(true);
});

test('a guesser and a scanner in the midst of it are accused as ever', () => {
  const attacker = from(SCANNER);
  const attack = range(0, 99).flatMap((index) => {
    const at = HOUR + 20_000 + index * 200;
    return [
      ask(at, attacker, 'REGISTER', String(1_000 + index)),
      auth(at + 50, from('203.0.113.67'), 'wrong-password', 'p7'),
    ];
  });
  const found = feed(detectorsWith(), [...town(2_000), ...storm(2_000, HOUR), ...attack]);
  const rules = new Set(againstSource(found).map(({ rule }) => rule));
  expect([...rules].sort()).toEqual(
    ['digest.guessing', 'enumeration.sequence', 'enumeration.distinct', 'enumeration.rapid']
      .filter((rule) => rules.has(rule))
      .sort(),
  );
  expect(rules.has('digest.guessing')).toBe(true);
  expect(rules.has('enumeration.sequence')).toBe(true);
});

test('what strangers ask for is no storm, however much', () => {
  const events = range(0, 5_000).map((index) => ask(HOUR + index * 5, home(index), 'REGISTER', `x${index}`));
  expect(storms(feed(detectorsWith(), [...town(500), ...events]))).toEqual([]);
});

test('a large site that is always busy has no storm', () => {
  const found = feed(detectorsWith(), town(20_000, 2));
  expect(storms(found)).toEqual([]);
});
