import type { EpochMs, ProofTier } from '../../model/index.ts';
import { findRun } from '../enumeration/targets.ts';
import { readNumber, type NumberedName } from '../enumeration/number-runs.ts';

/** What one source asked for in vain. */
export interface Member {
  readonly at: EpochMs;
  readonly name: string;
  readonly tier: ProofTier;
}

export interface CampaignRules {
  /** Sources that are too many, and those that are when their names stand in a row. */
  readonly sources: number;
  readonly in_order: number;
  readonly grace: number;
  readonly window: number;
}

/** What a campaign amounts to. */
export interface Extent {
  readonly sources: number;
  readonly names: number;
  /** Longest run of numbers among the names. */
  readonly run: number;
  readonly tier: ProofTier;
  /** All of them are of this network; undefined: of any. */
  readonly asn?: number;
}

/** Sources kept of one campaign: enough for every rule, whatever the flood. */
const MAX_WAITING = 4_096;
const MAX_FAILED = 1_024;

/** The names of a campaign are gone through at most this often. */
const LOOK_MS = 1_000;

/** A run of numbers that one does not get by chance. */
const MIN_RUN = 8;

interface Failed extends Member {
  readonly number: NumberedName | undefined;
}

/**
 * Sources whose messages are built alike and that asked in vain. Who asked waits here until the grace time is over; who
 * succeeds by then, or later, is taken out again. No timers: time is that of the events.
 */
export class Campaign {
  /** Both oldest first. */
  readonly #waiting = new Map<string, Member>();
  readonly #failed = new Map<string, Failed>();
  #lookedAt: EpochMs = -Infinity;
  #activeUntil: EpochMs = -Infinity;
  #extent: Extent | undefined;
  /** What it amounted to when it was last looked at; undefined when it is none, or over. */
  extent(now: EpochMs): Extent | undefined {
    return now < this.#activeUntil ? this.#extent : undefined;
  }

  /**
   * @param failed its answers to challenges were refused: nothing to wait for
   * @returns false when there was no room for it
   */
  join(identity: string, member: Member, failed: boolean): boolean {
    if (this.#failed.has(identity)) return true;
    if (failed) {
      this.#waiting.delete(identity);
      this.#fail(identity, member);
      return true;
    }
    if (this.#waiting.size >= MAX_WAITING) return false;
    this.#waiting.set(identity, member);
    return true;
  }

  /** It answered its challenge, or somebody there succeeded. */
  leave(identity: string): void {
    this.#waiting.delete(identity);
    this.#failed.delete(identity);
  }

  /** Lets time pass, and looks whether it is a campaign by now. */
  advance(now: EpochMs, rules: CampaignRules): void {
    for (const [identity, member] of this.#waiting) {
      if (member.at > now - rules.grace) break;
      this.#waiting.delete(identity);
      this.#fail(identity, member);
    }
    for (const [identity, { at }] of this.#failed) {
      if (at > now - rules.window && this.#failed.size <= MAX_FAILED) break;
      this.#failed.delete(identity);
    }
    if (this.#failed.size < Math.min(rules.sources, rules.in_order) || now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    const extent = this.#measure(rules);
    if (extent === undefined) return;
    this.#extent = extent;
    this.#activeUntil = now + rules.window;
  }

  #fail(identity: string, member: Member): void {
    this.#failed.set(identity, { ...member, number: readNumber(member.name) });
  }

  #measure(rules: CampaignRules): Extent | undefined {
    const all = [...this.#failed.values()];
    const extentOf = (members: readonly Failed[], tier: ProofTier): Extent | undefined => {
      const names = new Set(members.map(({ name }) => name)).size;
      const run = findRun(members).length;
      // one name asked for by many is an old device, or a sweep that other rules see
      const wide = members.length >= rules.sources && names * 2 >= members.length;
      const ordered = members.length >= rules.in_order && run >= Math.min(MIN_RUN, rules.in_order);
      return wide || ordered ? { sources: members.length, names, run, tier } : undefined;
    };
    // what rests on proven members alone is proven, however many forged ones are mixed in
    return (
      extentOf(
        all.filter(({ tier }) => tier === 'proven'),
        'proven',
      ) ?? extentOf(all, 'spoofable')
    );
  }
}
