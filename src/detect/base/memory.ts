import { LRUCache } from 'lru-cache';
import type { TableStats } from './detector.ts';

/**
 * A table with a cap: the entry that was not touched for longest makes room. Optionally bounded by the sum of the
 * entries' weights too (a source with a hundred targets weighs a hundred), so that its memory has a limit that holds
 * however a flood is spread over sources. (Not a plain Map: finding the oldest of one that evicts all the time means
 * walking over its deleted entries, 0.2 ms each under a flood.)
 */
export class Memory<Value extends object> {
  readonly #cache: LRUCache<string, Value>;
  readonly #maxWeight: number;
  readonly #weigh: (value: Value) => number;
  #weight = 0;
  #evicted = 0;

  constructor(maxEntries: number, bound?: { readonly maxWeight: number; readonly weigh: (value: Value) => number }) {
    this.#maxWeight = bound?.maxWeight ?? Number.POSITIVE_INFINITY;
    this.#weigh = bound?.weigh ?? (() => 0);
    this.#cache = new LRUCache({
      // `max` would set memory aside for all of them at once
      maxSize: maxEntries,
      sizeCalculation: () => 1,
      dispose: (value) => {
        this.#weight -= this.#weigh(value);
        this.#evicted += 1;
      },
    });
  }

  get stats(): TableStats {
    return { size: this.#cache.size, evicted: this.#evicted };
  }

  /** Total weight of all entries, as far as `reweigh` was told. */
  get weight(): number {
    return this.#weight;
  }

  /** Looks without touching. */
  has(key: string): boolean {
    return this.#cache.has(key);
  }

  /** The value of this key, without touching it. */
  peek(key: string): Value | undefined {
    return this.#cache.peek(key);
  }

  /** The value of this key, made if there is none; it becomes the youngest. */
  take(key: string, make: () => Value): Value {
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#weight += this.#weigh(value);
    this.#cache.set(key, value);
    this.#makeRoom();
    return value;
  }

  /** To be called with the difference after the youngest entry's weight has changed; that one is never evicted for it. */
  reweigh(difference: number): void {
    this.#weight += difference;
    if (difference > 0) this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#weight > this.#maxWeight && this.#cache.size > 1) this.#cache.pop();
  }
}
