import { LRUCache } from 'lru-cache';
import type { BanEntry, EpochMs, FalseAlarm, QuarantineEntry } from '../model/index.ts';

/** Addresses that customers authenticated from, decisions that may turn out wrong, and alarms that stand. */
const MAX_CUSTOMERS = 50_000;
const MAX_DECISIONS = 20_000;
const MAX_ALARMS = 20_000;

/** Who guesses a password comes in as well: what speaks of guessing is not excused by a success that follows it. */
const GUESSING = /^(?:digest|campaign)\./;

/** When a customer was last seen is told this often at most: whoever keeps it writes once an hour for each. */
const SEEN_EVERY_MS = 3_600_000;

/** A decision that may turn out wrong. */
export interface DoubtedDecision {
  readonly at: EpochMs;
  readonly rules: readonly string[];
}

/** An address that customers authenticated from while nothing spoke against it. */
export interface KnownCustomer {
  readonly since: EpochMs;
  /** To within an hour. */
  readonly seen: EpochMs;
}

/** What whoever keeps these memories is told of, by identity. */
export type DoubtKind = 'false-alarm' | 'decision' | 'customer';

/**
 * Decisions against addresses from which customers came, before or since: suspected false alarms. Such an address is
 * marked, and for a time its evidence weighs less. It is a suspicion: nothing is lifted by it.
 */
export class FalseAlarms {
  readonly #settings: { readonly false_alarm_weight: number; readonly false_alarm_time: number };
  readonly #customers = new LRUCache<string, KnownCustomer>({ maxSize: MAX_CUSTOMERS, sizeCalculation: () => 1 });
  readonly #decisions = new LRUCache<string, DoubtedDecision>({ maxSize: MAX_DECISIONS, sizeCalculation: () => 1 });
  readonly #alarms: LRUCache<string, FalseAlarm>;
  #changed: (kind: DoubtKind, identity: string) => void = () => undefined;
  evicted = 0;

  constructor(settings: { readonly false_alarm_weight: number; readonly false_alarm_time: number }) {
    this.#settings = settings;
    this.#alarms = new LRUCache({
      maxSize: MAX_ALARMS,
      sizeCalculation: () => 1,
      dispose: (_alarm, _identity, reason) => {
        if (reason === 'evict') this.evicted += 1;
      },
    });
  }

  get size(): number {
    return this.#alarms.size;
  }

  /** When somebody first authenticated there while nothing spoke against the address; undefined: never seen. */
  customerSince(identity: string): EpochMs | undefined {
    return this.#customers.peek(identity)?.since;
  }

  customer(identity: string): KnownCustomer | undefined {
    return this.#customers.peek(identity);
  }

  decision(identity: string): DoubtedDecision | undefined {
    return this.#decisions.peek(identity);
  }

  /** Tells of each change from now on; once only, to whoever keeps it. */
  watch(changed: (kind: DoubtKind, identity: string) => void): void {
    this.#changed = changed;
  }

  /** What was known before a restart; what came since is newer. */
  restoreCustomer(identity: string, { since, seen }: KnownCustomer): void {
    const known = this.#customers.peek(identity);
    this.#customers.set(identity, {
      since: Math.min(since, known?.since ?? since),
      seen: Math.max(seen, known?.seen ?? seen),
    });
  }

  restoreDecision(identity: string, decision: DoubtedDecision): void {
    if (!this.#decisions.has(identity)) this.#decisions.set(identity, decision);
  }

  restoreAlarm(alarm: FalseAlarm): void {
    if (!this.#alarms.has(alarm.subject)) this.#alarms.set(alarm.subject, alarm);
  }

  /**
   * Somebody authenticated there.
   * @param clean nothing spoke against the address until now
   * @returns the alarm, when a decision stands or stood lately that this calls into question
   */
  authenticated(identity: string, at: EpochMs, clean: boolean): FalseAlarm | undefined {
    const known = this.#customers.get(identity);
    if (known === undefined ? clean : at - known.seen >= SEEN_EVERY_MS) {
      this.#customers.set(identity, { since: known?.since ?? at, seen: at });
      this.#changed('customer', identity);
    }
    const decision = this.#decisions.peek(identity);
    if (decision === undefined || at - decision.at > this.#settings.false_alarm_time) return undefined;
    if (decision.rules.some((rule) => GUESSING.test(rule))) return undefined;
    this.#decisions.delete(identity);
    this.#changed('decision', identity);
    return this.#raise(identity, at, 'registered-since', decision.rules);
  }

  /**
   * The address is banned or quarantined.
   * @param customerSince from when on a customer is known there by other means
   */
  decided(
    { subject, rules, evidence }: BanEntry | QuarantineEntry,
    at: EpochMs,
    customerSince?: EpochMs,
  ): FalseAlarm | undefined {
    const since = Math.min(this.#customers.peek(subject)?.since ?? at, customerSince ?? at);
    if (since < (evidence[0]?.at ?? at)) return this.#raise(subject, at, 'registered-before', rules);
    this.#decisions.set(subject, { at, rules });
    this.#changed('decision', subject);
    return undefined;
  }

  /** What stands at `now`. */
  of(identity: string, now: EpochMs): FalseAlarm | undefined {
    const alarm = this.#alarms.peek(identity);
    return alarm === undefined || alarm.until <= now ? undefined : alarm;
  }

  /** What its evidence counts: 1 for everybody without an alarm. */
  weight(identity: string, now: EpochMs): number {
    return this.#alarms.size === 0 || this.of(identity, now) === undefined ? 1 : this.#settings.false_alarm_weight;
  }

  /** One alarm at a time: a quarantine that is renewed is the same false alarm. */
  #raise(subject: string, at: EpochMs, how: FalseAlarm['how'], rules: readonly string[]): FalseAlarm | undefined {
    if (this.of(subject, at) !== undefined) return undefined;
    const alarm: FalseAlarm = { subject, at, until: at + this.#settings.false_alarm_time, how, rules };
    this.#alarms.set(subject, alarm);
    this.#changed('false-alarm', subject);
    return alarm;
  }
}
