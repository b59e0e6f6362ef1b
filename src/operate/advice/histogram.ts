import type { EpochMs } from '../../model/index.ts';

/** Exact up to here; beyond, sixteen buckets for each doubling: at most 6 % off, as HDR histograms do it. */
const EXACT = 32;
const SUB_BUCKETS = 16;
const MAX_VALUE = 2 ** 17 - 1;
const BUCKETS = EXACT + SUB_BUCKETS * 12;

export const DAY_MS = 86_400_000;
/** Today and the seven days before it. */
const DAYS = 8;

const bucketOf = (value: number): number => {
  if (value < EXACT) return value;
  const octave = 31 - Math.clz32(value);
  return EXACT + (octave - 5) * SUB_BUCKETS + ((value >>> (octave - 4)) & (SUB_BUCKETS - 1));
};

/** The largest value that falls into a bucket. */
const topOf = (bucket: number): number => {
  if (bucket < EXACT) return bucket;
  const octave = 5 + Math.floor((bucket - EXACT) / SUB_BUCKETS);
  const sub = (bucket - EXACT) % SUB_BUCKETS;
  return 2 ** octave + (sub + 1) * 2 ** (octave - 4) - 1;
};

interface Day {
  /** Number of the day since 1970; -1 while it was not used. */
  number: number;
  readonly counts: Uint32Array;
  most: number;
}

export interface Spread {
  readonly samples: number;
  readonly p999: number;
  readonly max: number;
}

/** How often which count was seen, by day, for a week: 7 KB whatever comes, and nothing of who it was. */
export class DailyHistogram {
  readonly #days: Day[] = Array.from({ length: DAYS }, () => ({
    number: -1,
    counts: new Uint32Array(BUCKETS),
    most: 0,
  }));

  add(value: number, at: EpochMs): void {
    const day = this.#dayOf(Math.floor(at / DAY_MS));
    // an event from before the day that took its place: too late to count
    if (day === undefined) return;
    const bounded = Math.min(MAX_VALUE, Math.max(0, Math.floor(value)));
    day.counts[bucketOf(bounded)]! += 1;
    day.most = Math.max(day.most, bounded);
  }

  /** One day as it can be kept: the counts that are not zero, by bucket. undefined: nothing was seen on it. */
  day(number: number): { readonly most: number; readonly counts: readonly (readonly [number, number])[] } | undefined {
    const day = this.#days.find((one) => one.number === number);
    if (day === undefined) return undefined;
    return { most: day.most, counts: [...day.counts.entries()].filter(([, count]) => count > 0) };
  }

  /** Adds a day that was kept to what was seen of it since; a day that has no place any more is left out. */
  restore(number: number, most: number, counts: readonly (readonly [number, number])[]): void {
    const day = this.#dayOf(number);
    if (day === undefined) return;
    for (const [bucket, count] of counts)
      if (bucket >= 0 && bucket < BUCKETS) day.counts[bucket]! += Math.max(0, count);
    day.most = Math.max(day.most, Math.min(MAX_VALUE, most));
  }

  /** The day with this number, emptied of the one that had its place before; undefined when a newer one has it. */
  #dayOf(number: number): Day | undefined {
    const day = this.#days[((number % DAYS) + DAYS) % DAYS]!;
    if (day.number > number) return undefined;
    if (day.number < number) {
      day.number = number;
      day.counts.fill(0);
      day.most = 0;
    }
    return day;
  }

  /** Of whole days: the one that `since` lies in counts in full. */
  spread(since: EpochMs, now: EpochMs): Spread {
    const [first, last] = [Math.floor(since / DAY_MS), Math.floor(now / DAY_MS)];
    const days = this.#days.filter(({ number }) => number >= Math.max(first, last - DAYS + 1) && number <= last);
    const totals = Array.from({ length: BUCKETS }, (_, bucket) =>
      days.reduce((sum, { counts }) => sum + counts[bucket]!, 0),
    );
    const samples = totals.reduce((sum, count) => sum + count, 0);
    const max = Math.max(0, ...days.map(({ most }) => most));
    const rank = Math.ceil(samples * 0.999);
    let seen = 0;
    for (const [bucket, count] of totals.entries()) {
      seen += count;
      if (samples > 0 && seen >= rank) return { samples, p999: Math.min(topOf(bucket), max), max };
    }
    return { samples, p999: 0, max };
  }
}
