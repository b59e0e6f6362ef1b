import type { Answer } from '../../model/index.ts';

/** What came in and what was answered, since start. */
export interface Counts {
  requests: number;
  outcomes: number;
  readonly answers: Record<Answer, number>;
  /** Frames and messages that were not taken, by reason. */
  readonly drops: Record<string, number>;
  drop(reason: string): void;
}

/** @param dropped hears of each drop, for the log */
export const createCounts = (dropped: (reason: string) => void): Counts => {
  const drops: Record<string, number> = {};
  return {
    requests: 0,
    outcomes: 0,
    answers: { allow: 0, drop: 0, challenge: 0 },
    drops,
    drop(reason) {
      drops[reason] = (drops[reason] ?? 0) + 1;
      dropped(reason);
    },
  };
};
