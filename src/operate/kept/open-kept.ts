import type { Judge } from '../../decide/index.ts';
import type { Clock, EpochMs, Records } from '../../model/index.ts';
import type { Peaks } from '../advice/peaks.ts';
import type { LastShapes } from '../insight/last-shapes.ts';
import type { RecentUse } from '../insight/recent-use.ts';
import type { Samples } from '../insight/samples.ts';
import { createFeedSwitches } from './feed-switches.ts';
import { keptAlarms } from './kept-alarms.ts';
import { keptEvidence } from './kept-evidence.ts';
import { keptTune } from './kept-tune.ts';
import { createKept } from './kept.ts';
import type { Keepsake, Kept } from './kept.ts';

export interface Memories {
  readonly peaks: Peaks;
  readonly samples: Samples;
  readonly shapes: LastShapes;
  readonly recent: RecentUse;
}

export interface OpenKept extends Pick<Kept, 'stats' | 'stop'> {
  /** Feeds that were switched by hand. */
  readonly switches: ReturnType<typeof createFeedSwitches>;
  /** Hears of changes of what is only for whoever asks later, from now on. */
  follow(memories: Memories): void;
  /** Fills what is followed. Ends when that is done; nobody need wait. */
  fill(): Promise<void>;
  /** Since when `tune` counts, restarts included. */
  countedSince(): EpochMs;
}

/** Fills what weighs and what is listened to, before anybody asks, and keeps it from now on. Never fails. */
export const openKept = async (parts: {
  readonly records: Pick<Records, 'keep' | 'recall'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  readonly judge: Pick<Judge, 'falseAlarms'>;
  readonly falseAlarmMs: number;
}): Promise<OpenKept> => {
  const { clock, judge, falseAlarmMs } = parts;
  const kept = createKept(parts);
  const startedAt = clock.now();
  let countedSince = (): EpochMs => startedAt;
  let followed: readonly Keepsake[] = [];
  const switches = createFeedSwitches((name) => kept.changed('feed', name));
  const { alarms, doubts } = keptAlarms(judge, falseAlarmMs, kept.changed);
  await kept.restore(alarms, switches.keepsake);
  return {
    switches,
    follow({ peaks, ...evidence }) {
      const tune = keptTune(peaks, startedAt, (key) => kept.changed('tune', key));
      countedSince = () => tune.since;
      followed = [...doubts, tune, keptEvidence(evidence, (key) => kept.changed('evidence', key))];
    },
    fill: () => kept.restore(...followed),
    countedSince: () => countedSince(),
    stats: kept.stats,
    stop: kept.stop,
  };
};
