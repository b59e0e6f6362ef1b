import type { EpochMs } from '../time.ts';

/** What an operator can ask of what was seen lately. Part of `Operations`. */
export interface InsightOperations {
  /** Which sources used this Call-ID or user name lately, newest first. @throws CompanionError NOT_FOUND */
  used(text: string): Promise<UsedReport>;
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
