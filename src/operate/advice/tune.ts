import type { Clock, EpochMs, TuneReport, TuneRow } from '../../model/index.ts';
import { DAY_MS } from './histogram.ts';
import type { Peak, Peaks } from './peaks.ts';

/** One in a thousand of fewer windows is one event: not a figure to set a threshold by. */
const MIN_WINDOWS = 10_000;
/** A site has a morning, an evening and a night. */
const MIN_COLLECTED_MS = DAY_MS;

/** Above what customers do, so that tomorrow's busiest moment is no attack. */
const ABOVE_P999 = 2;
const ABOVE_MAX = 1.25;
/** One mad phone must not open the door for everybody. */
const MOST_ABOVE_P999 = 4;
/** Below this share of what is shipped nothing is proposed, however quiet the site is. */
const LEAST_SHARE = 0.25;

/** A threshold, what it is held against, and its bounds. */
export interface Tunable {
  /** Detector and setting in it. */
  readonly setting: readonly [detector: string, name: string];
  readonly peak: Peak;
  readonly what: string;
  readonly shipped: number;
  readonly least: number;
  readonly most: number;
}

export const TUNABLES: readonly Tunable[] = [
  {
    setting: ['density', 'requests'],
    peak: 'requests',
    what: 'unanswered requests of one source in a window of the rate rule',
    shipped: 100,
    least: 2,
    most: 10_000,
  },
  {
    setting: ['enumeration', 'distinct'],
    peak: 'unanswered',
    what: 'names that one source asked for and never authenticated as',
    shipped: 20,
    least: 2,
    most: 1_000,
  },
  {
    setting: ['digest_guessing', 'user_failures'],
    peak: 'user-failures',
    what: 'failures of one user at one source',
    shipped: 5,
    least: 2,
    most: 30,
  },
  {
    setting: ['digest_guessing', 'spray_users'],
    peak: 'failing-users',
    what: 'users that failed at one source',
    shipped: 5,
    least: 2,
    most: 30,
  },
];

/** Two significant digits: nobody believes a threshold of 137. */
const rounded = (value: number): number => {
  const step = value < 20 ? 1 : value < 200 ? 5 : 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / step) * step;
};

const proposalOf = ({ shipped, least, most }: Tunable, p999: number, max: number): number => {
  const wished = Math.max(ABOVE_P999 * p999, ABOVE_MAX * max);
  const bounded = Math.min(wished, MOST_ABOVE_P999 * Math.max(p999, 1));
  return Math.min(most, Math.max(least, rounded(Math.max(bounded, shipped * LEAST_SHARE))));
};

const adviceOf = (current: number, proposal: number): TuneRow['advice'] => {
  if (current < proposal) return 'raise';
  return current > 2 * proposal ? 'lower' : 'keep';
};

const snippetOf = (rows: readonly TuneRow[]): string => {
  const changed = rows.filter(({ advice }) => advice === 'raise' || advice === 'lower');
  if (changed.length === 0) return '';
  const detectors = new Map<string, string[]>();
  for (const { setting, proposal, p999, max } of changed) {
    const [, detector = '', name = ''] = setting.split('.', 3);
    const lines = detectors.get(detector) ?? [];
    lines.push(`    ${name}: ${proposal}  # customers: p99.9 ${p999}, most ${max}`);
    detectors.set(detector, lines);
  }
  return ['detect:', ...[...detectors].flatMap(([detector, lines]) => [`  ${detector}:`, ...lines])].join('\n');
};

/** Thresholds by what this site's customers do. Proposals only: nothing is changed. */
export const createTune =
  (parts: {
    readonly peaks: Peaks;
    readonly clock: Clock;
    /** Since when windows are counted, restarts included. */
    readonly countedSince: () => EpochMs;
    readonly current: (setting: Tunable['setting']) => number;
  }) =>
  (spanMs: number): TuneReport => {
    const { peaks, clock, countedSince, current } = parts;
    const to = clock.now();
    peaks.sweep(to);
    const from = Math.max(to - Math.min(spanMs, 7 * DAY_MS), countedSince());
    const rows = TUNABLES.map((tunable): TuneRow => {
      const { samples, p999, max } = peaks.histograms[tunable.peak].spread(from, to);
      const now = current(tunable.setting);
      const base = {
        setting: `detect.${tunable.setting.join('.')}`,
        what: tunable.what,
        current: now,
        windows: samples,
        p999,
        max,
      };
      if (samples < MIN_WINDOWS || to - from < MIN_COLLECTED_MS)
        return { ...base, proposal: null, advice: 'too-little-data' };
      const proposal = proposalOf(tunable, p999, max);
      const advice = adviceOf(now, proposal);
      return { ...base, proposal: advice === 'keep' ? now : proposal, advice };
    });
    return { from, to, leastWindows: MIN_WINDOWS, leastMs: MIN_COLLECTED_MS, rows, yaml: snippetOf(rows) };
  };
