import type { EpochMs } from '../time.ts';
import type { Place } from './geo.ts';

/** Running totals since start, by kinds that are ours or clamped: never an address, a user or a number. */
export interface Figures {
  /** Requests and how many of them by method; methods that SIP does not know count as OTHER. */
  readonly requests: number;
  readonly methods: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  /** Findings by rule. */
  readonly rules: Readonly<Record<string, number>>;
  /** Requests that were slowed down or dropped for their rate, by method. */
  readonly limited: Readonly<Record<string, number>>;
  /** Asks that were answered with drop or challenge, by the state that caused it. */
  readonly blocked: Readonly<Record<string, number>>;
  readonly parseErrors: number;
  /** Of the requests whose message was held against the standard: how many broke no rule, how many did, and which. */
  readonly validated: {
    readonly valid: number;
    readonly invalid: number;
    readonly violations: Readonly<Record<string, number>>;
  };
  /** Cumulative histogram of request sizes: count of requests up to each bound, in bytes. */
  readonly sizes: {
    readonly upTo: readonly (readonly [number, number])[];
    readonly sum: number;
    readonly count: number;
  };
}

/** Totals and sizes, as `stats` shows them. */
export interface StatsReport {
  readonly at: EpochMs;
  readonly startedAt: EpochMs;
  readonly figures: Figures;
  readonly activeBans: number;
  /** Sources that the enumeration detector remembers. */
  readonly enumerationSources: number;
}

/** One source of attacks in a report. */
export interface AttackSource {
  readonly subject: string;
  readonly decisions: number;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly rules: readonly string[];
  /** The last User-Agent that was seen; attacker's text, empty when unknown. */
  readonly agent: string;
  /** The strongest thing that was done to it. */
  readonly outcome: 'ban' | 'quarantine' | 'throttle' | 'throttle-user';
  /** Where it is; left out when no database says. */
  readonly place?: Place | undefined;
}

/** Attacks of a stretch of time, from the audit trail. */
export interface AttackReport {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly decisions: number;
  /** Sources in all; `sources` holds the busiest. */
  readonly sourcesTotal: number;
  readonly sources: readonly AttackSource[];
  readonly rules: Readonly<Record<string, number>>;
  readonly agents: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Sources by country, of those that are in one. */
  readonly countries: Readonly<Record<string, number>>;
  /** True when the trail is longer than what was read: the report begins at `from`, which is then later than asked for. */
  readonly cut: boolean;
}

/** What a reload did. */
export interface ReloadReport {
  /** Settings that were swapped, as paths. */
  readonly changed: readonly string[];
  /** Settings that differ in the file and need a restart. */
  readonly needRestart: readonly string[];
}
