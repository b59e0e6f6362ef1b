import { z } from 'zod';
import type { EpochMs } from '../../model/index.ts';
import { DAY_MS } from '../advice/histogram.ts';
import { PEAKS } from '../advice/peaks.ts';
import type { Peaks } from '../advice/peaks.ts';
import type { Keepsake } from './kept.ts';

/** Today and the seven days before it count; a day more, because a day ends in the middle of another place's. */
const KEPT_MS = 9 * DAY_MS;
const WRITE_EVERY_MS = 60_000;
const SINCE = 'since';

const count = z.int().min(0).max(0xffff_ffff);
const shape = z.object({
  windows: z.string(),
  most: count.optional(),
  counts: z
    .array(z.tuple([count, count]))
    .max(1_000)
    .optional(),
});

export interface KeptTune extends Keepsake {
  /** Since when windows are counted, restarts included. */
  readonly since: EpochMs;
}

/** Histograms of the busiest windows, a memo for each day of each; those of windows of another length count for nothing. */
export const keptTune = (peaks: Peaks, startedAt: EpochMs, changed: (key: string) => void): KeptTune => {
  const windows = JSON.stringify(peaks.windows);
  let since = startedAt;
  peaks.watch((peak, day) => {
    changed(`${peak} ${day}`);
    // written again, so that it does not end while there is something to count
    changed(SINCE);
  });
  return {
    kind: 'tune',
    everyMs: WRITE_EVERY_MS,
    get since() {
      return since;
    },
    memoOf(key, now) {
      if (key === SINCE) return { at: since, until: now + KEPT_MS, body: JSON.stringify({ windows }) };
      const [peak, day] = key.split(' ', 2);
      const histogram = peaks.histograms[PEAKS.find((one) => one === peak) ?? 'requests'];
      const kept = histogram.day(Number(day));
      if (kept === undefined) return undefined;
      return { at: now, until: Number(day) * DAY_MS + KEPT_MS, body: JSON.stringify({ windows, ...kept }) };
    },
    restore({ key, at, body }) {
      const { windows: theirs, most = 0, counts = [] } = shape.parse(JSON.parse(body));
      if (theirs !== windows) return;
      if (key === SINCE) {
        since = Math.min(since, at);
        return;
      }
      const [peak, day] = key.split(' ', 2);
      const name = PEAKS.find((one) => one === peak);
      if (name === undefined || !Number.isSafeInteger(Number(day))) throw new Error('no such histogram');
      peaks.histograms[name].restore(Number(day), most, counts);
    },
  };
};
