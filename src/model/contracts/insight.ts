import type { EpochMs } from '../time.ts';

/** What an operator can ask of what was seen lately. Part of `Operations`. */
export interface InsightOperations {
  /** Which sources used this Call-ID or user name lately, newest first. @throws CompanionError NOT_FOUND */
  used(text: string): Promise<UsedReport>;
  /** Who would have been hit in the last `spanMs` milliseconds by what was decided and not enforced. */
  shadowReport(spanMs: number): Promise<ShadowReport>;
  /** Thresholds by what known customers did in the last `spanMs` milliseconds, at most a week. */
  tune(spanMs: number): Promise<TuneReport>;
}

/** A message without its secrets, at most 2 KB of attacker's text. */
export interface MessageSample {
  readonly at: EpochMs;
  readonly node: string;
  readonly text: string;
  /** The decision followed from this message; else it is the last one of its source that was worth a look. */
  readonly decided: boolean;
}

/** A source that used a Call-ID or a user name. */
export interface UsedBy {
  readonly as: 'call-id' | 'user';
  readonly ip: string;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly events: number;
}

export interface UsedReport {
  /** As it was looked up: attacker's text, cut to its bound. */
  readonly text: string;
  readonly by: readonly UsedBy[];
}

/** A source that was decided against, and not touched. */
export interface ShadowSource {
  readonly subject: string;
  /** The strongest thing that would have been done to it. */
  readonly outcome: 'ban' | 'quarantine' | 'throttle' | 'throttle-user';
  /** All was in shadow mode, or only these rules. */
  readonly by: 'mode' | 'rule';
  readonly decisions: number;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly rules: readonly string[];
  /** Whether customers authenticated there: before the first decision, since, or never. */
  readonly customers: 'before' | 'since' | 'none';
}

export interface ShadowReport {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly mode: 'shadow' | 'enforce';
  readonly decisions: number;
  readonly sourcesTotal: number;
  /** Sources where customers are: suspected false alarms. */
  readonly suspected: number;
  /** Suspected false alarms first, then the strongest; at most a hundred. */
  readonly sources: readonly ShadowSource[];
  readonly rules: Readonly<
    Record<string, { readonly decisions: number; readonly sources: number; readonly suspected: number }>
  >;
  /** True when the trail is longer than what was read: the report begins at `from`, which is then later than asked for. */
  readonly cut: boolean;
}

/** One threshold, and what customers do. */
export interface TuneRow {
  /** Path of the setting. */
  readonly setting: string;
  readonly what: string;
  readonly current: number;
  /** Windows of known customers that were counted. */
  readonly windows: number;
  readonly p999: number;
  readonly max: number;
  /** null while there is too little data. */
  readonly proposal: number | null;
  readonly advice: 'keep' | 'raise' | 'lower' | 'too-little-data';
}

export interface TuneReport {
  /** Since when it was counted: not before the start of the service. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** What a proposal needs. */
  readonly leastWindows: number;
  readonly leastMs: number;
  readonly rows: readonly TuneRow[];
  /** Lines for the configuration; empty when nothing should change. */
  readonly yaml: string;
}
