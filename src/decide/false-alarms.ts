import { LRUCache } from 'lru-cache';
import type { BanEntry, EpochMs, FalseAlarm, QuarantineEntry } from '../model/index.ts';

/** Addresses that customers authenticated from, decisions that may turn out wrong, and alarms that stand. */
const MAX_CUSTOMERS = 50_000;
const MAX_DECISIONS = 20_000;
const MAX_ALARMS = 20_000;

/** Who guesses a password comes in as well: what speaks of guessing is not excused by a success that follows it. */
const GUESSING = /^(?:digest|campaign)\./;

interface Decision {
  readonly at: EpochMs;
  readonly rules: readonly string[];
}

/**
 * Decisions against addresses from which customers came, before or since: suspected false alarms. Such an address is
 * marked, and for a time its evidence weighs less. It is a suspicion: nothing is lifted by it.
 */
export class FalseAlarms {
  readonly #settings: { readonly false_alarm_weight: number; readonly false_alarm_time: number };
  readonly #customers = new LRUCache<string, EpochMs>({ maxSize: MAX_CUSTOMERS, sizeCalculation: () => 1 });
  readonly #decisions = new LRUCache<string, Decision>({ maxSize: MAX_DECISIONS, sizeCalculation: () => 1 });
  readonly #alarms: LRUCache<string, FalseAlarm>;
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
    return this.#customers.peek(identity);
  }

  /**
   * Somebody authenticated there.
   * @param clean nothing spoke against the address until now
   * @returns the alarm, when a decision stands or stood lately that this calls into question
   */
  authenticated(identity: string, at: EpochMs, clean: boolean): FalseAlarm | undefined {
    const since = this.#customers.get(identity) ?? (clean ? at : undefined);
    if (since === at) this.#customers.set(identity, at);
    const decision = this.#decisions.peek(identity);
    if (decision === undefined || at - decision.at > this.#settings.false_alarm_time) return undefined;
    if (decision.rules.some((rule) => GUESSING.test(rule))) return undefined;
    this.#decisions.delete(identity);
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
    const since = Math.min(this.#customers.peek(subject) ?? at, customerSince ?? at);
    if (since < (evidence[0]?.at ?? at)) return this.#raise(subject, at, 'registered-before', rules);
    this.#decisions.set(subject, { at, rules });
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
    return alarm;
  }
}
