import type { EpochMs } from '../../model/index.ts';
import type { TableStats } from './detector.ts';
import { Memory } from './memory.ts';

/** Says whether a source may be accused again: small findings that come with every message must not add up. */
export interface Once {
  /** True at most once in `everyMs` for each identity. */
  due(identity: string, at: EpochMs): boolean;
  readonly stats: TableStats;
}

export const createOnce = (maxSources: number, everyMs: number): Once => {
  const accused = new Memory<{ at: EpochMs }>(maxSources);
  return {
    due(identity, at) {
      const last = accused.take(identity, () => ({ at: -Infinity }));
      if (at - last.at < everyMs) return false;
      last.at = at;
      return true;
    },
    get stats() {
      return accused.stats;
    },
  };
};
