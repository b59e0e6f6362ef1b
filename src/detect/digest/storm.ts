import type { EpochMs } from '../../model/index.ts';

export interface StormRules {
  /** Known phones that register within ten seconds. */
  readonly storm_phones: number;
  /** How many times the ordinary rate that has to be. */
  readonly storm_factor: number;
}

/** What has just begun or ended. */
export type StormChange =
  | { readonly kind: 'began'; readonly phones: number; readonly usual: number }
  | { readonly kind: 'ended'; readonly lastedMs: number; readonly phones: number };

const SLICE_MS = 1_000;
const SLICES = 10;

/** Requests that are looked up in a second; of what is beyond, the same share is taken to be known. */
const LOOKS = 200;

/** The ordinary rate is learned over about a minute, and not while a storm lasts. */
const LEARNING = 1 / 6;
/** Ten-second spans before there is an ordinary rate: a companion that starts takes no large site for a storm. */
const WARM_UP = 6;

/** A storm is over when this share of what began it is not reached any more. */
const END_SHARE = 0.5;

/** However it goes: what lasts longer is how this site is. */
const MAX_STORM_MS = 1_800_000;

/**
 * Whether phones that are known come back all at once: after a power cut, a restarted router, a dead server. Counts what
 * known phones ask within ten seconds, in slices of a second, beside what is accepted there ordinarily. No timers.
 */
export class StormWatch {
  readonly #rules: StormRules;
  readonly #slices = new Float64Array(SLICES);
  #slice = -1;
  #sum = 0;
  /** Of this second: how many were looked up, and were known. */
  #looks = 0;
  #known = 0;
  /** Mean of what is accepted in ten seconds, and of how many such spans. */
  #usual = 0;
  #spans = 0;
  #accepted = 0;
  #sinceLearned = 0;
  #beganAt: EpochMs | undefined;
  #threshold = Number.POSITIVE_INFINITY;
  #phones = 0;

  constructor(rules: StormRules) {
    this.#rules = rules;
  }

  get raging(): boolean {
    return this.#beganAt !== undefined;
  }

  /** A phone asks to be registered. @param isKnown whether it did so before; asked for some of them only */
  count(at: EpochMs, isKnown: () => boolean): StormChange | undefined {
    const change = this.#advance(at);
    let weight: number;
    if (this.#looks < LOOKS) {
      this.#looks += 1;
      weight = isKnown() ? 1 : 0;
      this.#known += weight;
    } else weight = this.#known / this.#looks;
    if (weight === 0) return change;
    this.#slices[this.#slice % SLICES]! += weight;
    this.#sum += weight;
    if (this.raging) {
      this.#phones += weight;
      return change;
    }
    const usual = this.#usual;
    if (this.#spans < WARM_UP) return change;
    const threshold = Math.max(this.#rules.storm_phones, usual * this.#rules.storm_factor);
    if (this.#sum < threshold) return change;
    this.#beganAt = at;
    this.#threshold = threshold;
    this.#phones = this.#sum;
    return { kind: 'began', phones: Math.round(this.#sum), usual: Math.round(usual) };
  }

  /** Somebody was registered, known or not. */
  accepted(): void {
    this.#accepted += 1;
  }

  /** Lets time pass. */
  #advance(at: EpochMs): StormChange | undefined {
    const slice = Math.floor(at / SLICE_MS);
    if (this.#slice < 0) this.#slice = slice;
    const steps = Math.min(slice - this.#slice, SLICES);
    for (let step = 0; step < steps; step += 1) {
      if (!this.raging) this.#learn();
      const place = (Math.max(this.#slice, slice - SLICES) + 1 + step) % SLICES;
      this.#sum -= this.#slices[place]!;
      this.#slices[place] = 0;
    }
    if (slice > this.#slice) {
      this.#slice = slice;
      this.#looks = 0;
      this.#known = 0;
    }
    if (this.#beganAt === undefined) return undefined;
    const lastedMs = at - this.#beganAt;
    if (this.#sum >= this.#threshold * END_SHARE && lastedMs < MAX_STORM_MS) return undefined;
    this.#beganAt = undefined;
    this.#accepted = 0;
    if (lastedMs >= MAX_STORM_MS) this.#usual = Math.max(this.#usual, this.#sum);
    return { kind: 'ended', lastedMs, phones: Math.round(this.#phones) };
  }

  #learn(): void {
    this.#sinceLearned += 1;
    if (this.#sinceLearned < SLICES) return;
    this.#sinceLearned = 0;
    this.#spans += 1;
    this.#usual += (this.#accepted - this.#usual) * Math.max(LEARNING, 1 / this.#spans);
    this.#accepted = 0;
  }
}
