import { describe, expect, test } from 'vitest';
import { ATTACKS } from '../../bench/detection/attacks.ts';
import { CUSTOMERS } from '../../bench/detection/customers.ts';
import { play } from '../../bench/detection/scenario.ts';
import { playTimelines } from '../../bench/detection/timelines.ts';

/** The corpus takes seconds of a core; other tests run beside it. */
const PATIENCE_MS = 120_000;

describe('the labelled corpus', () => {
  test.each([...CUSTOMERS, ...ATTACKS].map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    (_, scenario) => {
      const result = play(scenario);
      expect(result.harms).toEqual([]);
      expect(result.harmed).toBe(0);
      expect(result.customers).toBeGreaterThan(0);
      expect(scenario.open).toBeUndefined();
      expect(result.flagged).toBe(result.attackers);
    },
    PATIENCE_MS,
  );

  test('captured timelines: every attacker at once, no customer ever', () => {
    const results = playTimelines();
    expect(results.reduce((sum, { attackers }) => sum + attackers, 0)).toBeGreaterThan(10);
    expect(results.reduce((sum, { customers }) => sum + customers, 0)).toBeGreaterThan(2);
    for (const { flagged, attackers, worst, harmed } of results) {
      expect(flagged).toBe(attackers);
      expect(worst ?? 1).toBe(1);
      expect(harmed).toBe(0);
    }
  });
});

describe('the measure itself', () => {
  const office = CUSTOMERS[0]!;

  test('who is denied is harmed', () => {
    const result = play({ ...office, config: { deny: ['198.51.100.20'] } });
    expect(result.harmed).toBe(result.customers);
  });

  test('who is quarantined can prove itself and is not', () => {
    // two requests within two seconds are a flood
    const result = play({ ...office, config: { detect: { density: { requests: 2 } } } });
    expect(result.held).toBe(1);
    expect(result.harms).toEqual([]);
  });

  test('without the rules an attacker is not flagged', () => {
    const quiet = { density: { enabled: false }, enumeration: { enabled: false }, digest_guessing: { enabled: false } };
    const [attack] = ATTACKS;
    expect(play({ ...attack!, config: { detect: quiet } }).flagged).toBe(0);
  });
});
