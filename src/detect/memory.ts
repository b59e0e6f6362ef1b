import type { TableStats } from './detector.ts';

/**
 * A table with a cap: the entry that was not touched for longest makes room. Optionally bounded by the sum of the
 * entries' weights too (a source with a hundred targets weighs a hundred), so that its memory has a limit that holds
 * however a flood is spread over sources.
 */
export class Memory<Value> {
  readonly #map = new Map<string, Value>();
  readonly #maxEntries: number;
  readonly #maxWeight: number;
  readonly #weigh: (value: Value) => number;
  #weight = 0;
  #evicted = 0;

  constructor(maxEntries: number, bound?: { readonly maxWeight: number; readonly weigh: (value: Value) => number }) {
    this.#maxEntries = maxEntries;
    this.#maxWeight = bound?.maxWeight ?? Number.POSITIVE_INFINITY;
    this.#weigh = bound?.weigh ?? (() => 0);
  }

  get stats(): TableStats {
    return { size: this.#map.size, evicted: this.#evicted };
  }

  /** Total weight of all entries, as far as `reweigh` was told. */
  get weight(): number {
    return this.#weight;
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  /** The value of this key, made if there is none; it becomes the youngest. */
  take(key: string, make: () => Value): Value {
    const known = this.#map.get(key);
    if (known !== undefined) {
      this.#map.delete(key);
      this.#map.set(key, known);
      return known;
    }
    const value = make();
    this.#map.set(key, value);
    this.#weight += this.#weigh(value);
    this.#makeRoom();
    return value;
  }

  /** To be called with the difference after an entry's weight has changed. */
  reweigh(difference: number): void {
    this.#weight += difference;
    if (difference > 0) this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#map.size > this.#maxEntries || (this.#weight > this.#maxWeight && this.#map.size > 1)) {
      const oldest = this.#map.entries().next();
      if (oldest.done === true) return;
      const [key, value] = oldest.value;
      this.#map.delete(key);
      this.#weight -= this.#weigh(value);
      this.#evicted += 1;
    }
  }
}
