import { expect, test } from 'vitest';
import { detectorsWith } from '../detect/events.ts';
import { ask, from, judgeOne, judgeWith, nothingKnown, proven, range, registered, spoofable } from './build.ts';

/** Many tests share a machine; alone it takes a tenth of this. */
const MAX_MS_OF_A_FORGED_REQUEST = 0.5;

const address = (index: number): string => `${11 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.7`;

test(
  '300,000 forged sources that all look like attackers: every table stays within its cap',
  { timeout: 60_000 },
  () => {
    const judge = judgeWith();
    const started = performance.now();
    for (const index of range(1, 300_000)) {
      const event = ask(index / 5, from(address(index)), 'REGISTER', String(index));
      judgeOne(judge, event, [spoofable({ family: 'tool', rule: 'scanner.user-agent' })]);
      if (index % 2_500 === 0) judge.expire(index / 5);
    }
    const each = (performance.now() - started) / 300_000;
    console.log(
      `judged: ${(each * 1_000).toFixed(1)} µs each, ${judge.ledger.evicted} entries and ${judge.sources.evicted} sources pushed out`,
    );
    expect(judge.sources.size).toBe(100_000);
    expect(judge.sources.evicted).toBe(200_000);
    expect(judge.ledger.count('quarantine')).toBe(50_000);
    expect(judge.ledger.evicted).toBe(250_000);
    expect(each).toBeLessThan(MAX_MS_OF_A_FORGED_REQUEST);
  },
);

test(
  '300,000 forged requests through the real detectors and the judge: every table stays within its cap',
  { timeout: 60_000 },
  () => {
    const detectors = detectorsWith();
    const judge = judgeWith();
    const started = performance.now();
    for (const index of range(1, 300_000)) {
      const event = ask(index / 5, from(address(index)), 'REGISTER', String(index));
      judgeOne(judge, event, detectors.detect(event, nothingKnown));
    }
    const each = (performance.now() - started) / 300_000;
    console.log(`detected and judged: ${(each * 1_000).toFixed(1)} µs each`);
    for (const { size } of Object.values(detectors.tables())) expect(size).toBeLessThanOrEqual(200_000);
    expect(judge.sources.size).toBeLessThanOrEqual(100_000);
    expect(judge.ledger.count('quarantine')).toBeLessThanOrEqual(50_000);
    expect(each).toBeLessThan(MAX_MS_OF_A_FORGED_REQUEST);
  },
);

test('bans and throttles of proven sources stay within their caps', () => {
  const judge = judgeWith({ max_bans: 500, max_throttled: 500, max_sources: 1_000 });
  for (const index of range(1, 5_000)) {
    judgeOne(judge, ask(index, from(address(index), 5060, 'tcp'), 'REGISTER', '1'), [proven()]);
    judgeOne(judge, ask(index, from(address(index + 100_000), 5060, 'tcp'), 'REGISTER', '1'), [
      proven({ family: 'flood' }),
    ]);
  }
  expect([judge.ledger.count('ban'), judge.ledger.count('throttle'), judge.sources.size]).toEqual([500, 500, 1_000]);
});

test('known-good stays within its cap', () => {
  const judge = judgeWith({ max_good: 500 });
  for (const index of range(1, 5_000)) judgeOne(judge, registered(index, from(address(index)), 'alice'));
  expect(judge.ledger.count('good')).toBe(500);
});

test('a flood of forged sources pushes out no known-good phone', () => {
  const judge = judgeWith({ max_quarantined: 100, max_sources: 1_000 });
  judgeOne(judge, registered(0, from('192.0.2.1'), 'alice'));
  for (const index of range(1, 5_000))
    judgeOne(judge, ask(index, from(address(index)), 'REGISTER', '1'), [spoofable()]);
  expect(judge.ledger.good('192.0.2.1', 5060, 'alice')).toBeDefined();
});
