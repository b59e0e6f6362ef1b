import type { Entry } from './entry.ts';
import type { Finding } from './finding.ts';

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
}
