/**
 * First in, first out, in a ring of fixed capacity. When it is full the newest item is refused and counted: what already
 * waits has waited longest, and a flood must not push it out.
 */
export class BoundedQueue<T> {
  readonly capacity: number;
  readonly #ring: (T | undefined)[];
  #head = 0;
  #size = 0;
  #dropped = 0;

  /** @throws RangeError when the capacity is not a whole number of at least 1 */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError(`queue capacity ${capacity} is not a positive integer`);
    this.capacity = capacity;
    this.#ring = [];
  }

  get size(): number {
    return this.#size;
  }

  /** How many items were refused since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @returns false when the queue was full and the item was dropped */
  push(item: T): boolean {
    if (this.#size === this.capacity) {
      this.#dropped++;
      return false;
    }
    // The array grows as it is used instead of being reserved: most queues stay short for ever.
    this.#ring[(this.#head + this.#size) % this.capacity] = item;
    this.#size++;
    return true;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#size--;
    this.#head = this.#size === 0 ? 0 : (this.#head + 1) % this.capacity;
    return item;
  }

  /** The oldest `count` items, which stay in the queue until `discard` (work that may have to be tried again). */
  first(count: number): T[] {
    const items: T[] = [];
    for (let index = 0; index < Math.min(count, this.#size); index++) {
      items.push(this.#ring[(this.#head + index) % this.capacity] as T);
    }
    return items;
  }

  /** Forgets the oldest `count` items without counting them as dropped. */
  discard(count: number): void {
    for (let index = Math.min(count, this.#size); index > 0; index--) this.shift();
  }
}
