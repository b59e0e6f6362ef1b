import type { Entry } from './entry.ts';
import type { Finding } from './finding.ts';
import type { EpochMs } from './time.ts';

/** What the server does with the request that was asked about. */
export type Answer = 'allow' | 'drop' | 'challenge';

/** States of a source in order of precedence, strongest first (see README, "How it decides"). */
export type SourceState = 'allowed' | 'good' | 'denied' | 'banned' | 'quarantined' | 'throttled' | 'stranger';

/** A change of what should be enforced. `remove` carries the entry as it was. */
export type Change =
  | { readonly op: 'put'; readonly entry: Entry }
  | { readonly op: 'remove'; readonly entry: Entry; readonly why: 'expired' | 'operator' | 'superseded' | 'revoked' };

/** The result of judging one request or outcome. Everything that follows from it is in `changes`. */
export interface Verdict {
  readonly answer: Answer;
  readonly state: SourceState;
  /** Short, of our own words only: safe to show and to log. */
  readonly reason: string;
  readonly findings: readonly Finding[];
  readonly changes: readonly Change[];
  /** What rules that are only rehearsed found and would have done beyond it. Never enforced, never remembered as held. */
  readonly shadow?: { readonly findings: readonly Finding[]; readonly changes: readonly Change[] } | undefined;
  /** A decision, of now or before, that hits an address where customers are. */
  readonly falseAlarm?: FalseAlarm | undefined;
}

/** A suspicion that a decision hit a customer: for a time, the evidence of that address weighs less. */
export interface FalseAlarm {
  readonly subject: string;
  readonly at: EpochMs;
  readonly until: EpochMs;
  /** Customers authenticated there before the evidence, or after the decision. */
  readonly how: 'registered-before' | 'registered-since';
  /** Rules that decided. */
  readonly rules: readonly string[];
}
