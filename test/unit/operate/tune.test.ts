import fc from 'fast-check';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { DailyHistogram } from '../../../src/operate/advice/histogram.ts';
import { Peaks, createTune } from '../../../src/operate/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { companionSchema } from '../../../src/judging/index.ts';
import { ask, auth, from } from '../detect/events.ts';
import { NOW } from './bench.ts';

const DAY = 86_400_000;
const OFFICE = '198.51.100.20';
const WINDOWS = { burst: 2_000, targets: 300_000, failures: 600_000 };
const office = from(OFFICE);
const peaksOf = (): Peaks => new Peaks(WINDOWS, (identity) => identity.startsWith('198.51.'));
const spread = (peaks: Peaks, peak: keyof Peaks['histograms'], now = NOW + DAY) =>
  peaks.histograms[peak].spread(NOW - DAY, now);

test('the p99.9 of a histogram is never below, and at most a sixteenth above the true one; the most is exact', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 3_000 }), (values) => {
      const histogram = new DailyHistogram();
      for (const value of values) histogram.add(value, NOW);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(sorted.length * 0.999) - 1]!;
      const { samples, p999, max } = histogram.spread(NOW, NOW);
      expect([samples, max]).toEqual([values.length, sorted.at(-1)]);
      expect(p999).toBeGreaterThanOrEqual(exact);
      expect(p999).toBeLessThanOrEqual(exact + exact / 16);
    }),
  );
});

test('a day is forgotten when its place is needed, and counts only where it is asked for', () => {
  const histogram = new DailyHistogram();
  for (let day = 0; day < 20; day += 1) histogram.add(day, NOW + day * DAY);
  const now = NOW + 19 * DAY;
  expect(histogram.spread(now, now)).toEqual({ samples: 1, p999: 19, max: 19 });
  expect(histogram.spread(now - 6 * DAY, now)).toMatchObject({ samples: 7, max: 19 });
  expect(histogram.spread(0, now)).toMatchObject({ samples: 8 });
  histogram.add(900, NOW);
  expect(histogram.spread(0, now)).toMatchObject({ samples: 8, max: 19 });
});

test('only customers are counted', () => {
  const peaks = peaksOf();
  for (let at = 0; at < 10_000; at += 10) peaks.see(ask(NOW + at, from('203.0.113.66'), 'INVITE', '100'));
  expect(peaks.size).toBe(0);
});

test('requests of a window: those that answered a challenge make up for the challenged ones', () => {
  const peaks = peaksOf();
  for (let n = 0; n < 30; n += 1) peaks.see(ask(NOW + n, office, 'REGISTER', `${n}`));
  for (let n = 0; n < 20; n += 1) peaks.see(ask(NOW + 100 + n, office, 'REGISTER', `${n}`, { credentials: 'bound' }));
  for (let n = 0; n < 90; n += 1) peaks.see(ask(NOW + 200 + n, office, 'OPTIONS', ''));
  peaks.see(ask(NOW + 5_000, office, 'REGISTER', '1'));
  expect(spread(peaks, 'requests')).toMatchObject({ samples: 1, max: 10 });
  peaks.sweep(NOW + 3_600_000);
  expect(spread(peaks, 'unanswered')).toMatchObject({ samples: 1, max: 10 });
});

test('failures by user, of windows with something in them only', () => {
  const peaks = peaksOf();
  for (let n = 0; n < 4; n += 1) peaks.see(auth(NOW + n, office, 'wrong-password', 'alice'));
  peaks.see(auth(NOW + 10, office, 'wrong-password', 'bob'));
  peaks.see(auth(NOW + 700_000, office, 'ok', 'alice'));
  for (let hour = 1; hour < 20; hour += 1) peaks.sweep(NOW + hour * 3_600_000);
  expect(spread(peaks, 'user-failures')).toMatchObject({ samples: 2, max: 4 });
  expect(spread(peaks, 'failing-users')).toMatchObject({ samples: 2, max: 2 });
});

test('sources are bounded, and what is closed early still counts', () => {
  const peaks = peaksOf();
  for (let n = 0; n < 15_000; n += 1) peaks.see(ask(NOW, from(`198.51.${n >> 8}.${n & 255}`), 'INVITE', '100'));
  expect(peaks.size).toBe(10_000);
  expect(peaks.evicted).toBe(5_000);
  expect(spread(peaks, 'requests')).toMatchObject({ samples: 5_000, max: 1 });
});

// proposals

const advice = (
  busiest: number,
  part: { ordinary?: number; windows?: number; days?: number; current?: number } = {},
) => {
  const { ordinary = 2, windows = 20_000, days = 2, current = 100 } = part;
  const peaks = peaksOf();
  for (let n = 0; n < windows; n += 1) peaks.histograms.requests.add(n === 0 ? busiest : ordinary, NOW);
  const tune = createTune({
    peaks,
    clock: { now: () => NOW + days * DAY },
    countedSince: () => NOW,
    current: () => current,
  });
  const report = tune(7 * DAY);
  return { ...report.rows.find(({ setting }) => setting === 'detect.density.requests')!, yaml: report.yaml };
};

test('too few windows or too short a time: nothing is proposed', () => {
  expect(advice(500, { windows: 9_999 })).toMatchObject({ advice: 'too-little-data', proposal: null, yaml: '' });
  expect(advice(500, { days: 0.5 })).toMatchObject({ advice: 'too-little-data', proposal: null });
});

test('customers near the threshold: it is raised above what the busiest did', () => {
  expect(advice(130, { ordinary: 60 })).toMatchObject({
    p999: expect.closeTo(60, -1),
    max: 130,
    advice: 'raise',
    proposal: 165,
  });
});

test('one mad phone does not open the door for everybody', () => {
  expect(advice(5_000, { ordinary: 30 })).toMatchObject({ max: 5_000, proposal: 120, advice: 'raise' });
});

test('a quiet site: lowered, never below a quarter of what is shipped', () => {
  expect(advice(3)).toMatchObject({ advice: 'lower', proposal: 25 });
  expect(advice(3, { current: 40 })).toMatchObject({ advice: 'keep', proposal: 40, yaml: '' });
});

test('the lines it prints are a configuration', () => {
  const { yaml } = advice(130, { ordinary: 60 });
  expect(parse(yaml)).toEqual({ detect: { density: { requests: 165 } } });
  expect(loadConfig({ text: yaml, file: 'c.yaml', schema: companionSchema }).detect.density.requests).toBe(165);
});
