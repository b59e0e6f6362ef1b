import { LRUCache } from 'lru-cache';
import type { EpochMs, LadderRung } from '../model/index.ts';

/**
 * How often each source was banned: the rung that its next ban stands on. The n-th ban lasts `first × 2^(n-1)`, capped;
 * a source that stays clean for the decay time starts again at the first rung.
 */
export class Ladder {
  readonly #rungs: LRUCache<string, LadderRung>;
  readonly #settings: { readonly ban_time: number; readonly ban_time_max: number; readonly ladder_decay: number };

  constructor(settings: {
    readonly ban_time: number;
    readonly ban_time_max: number;
    readonly ladder_decay: number;
    readonly max_sources: number;
  }) {
    this.#settings = settings;
    this.#rungs = new LRUCache({ maxSize: settings.max_sources, sizeCalculation: () => 1 });
  }

  restore(rung: LadderRung): void {
    this.#rungs.set(rung.subject, rung);
  }

  /**
   * The next rung and the time that it lasts (ms). Does not climb.
   * @param firstMs of the first rung, where the rule that bans has its own
   */
  next(
    subject: string,
    now: EpochMs,
    firstMs = this.#settings.ban_time,
  ): { readonly level: number; readonly durationMs: number } {
    const rung = this.#rungs.get(subject);
    const level = rung === undefined || now - rung.lastUntil > this.#settings.ladder_decay ? 1 : rung.level + 1;
    const durationMs = Math.min(firstMs * 2 ** Math.min(level - 1, 30), this.#settings.ban_time_max);
    return { level, durationMs };
  }

  climb(subject: string, level: number, until: EpochMs): void {
    this.#rungs.set(subject, { subject, level, lastUntil: until });
  }
}
