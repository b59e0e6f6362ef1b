import type { EpochMs } from '../model/index.ts';

interface Due {
  readonly at: EpochMs;
  readonly key: string;
}

/**
 * Which keys run out next: a binary heap. A key may stand in it more than once (it was renewed); the owner checks what
 * is still true when a key comes up.
 */
export class ExpiryHeap {
  readonly #items: Due[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(at: EpochMs, key: string): void {
    const items = this.#items;
    items.push({ at, key });
    let child = items.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (items[parent]!.at <= items[child]!.at) break;
      [items[parent], items[child]] = [items[child]!, items[parent]!];
      child = parent;
    }
  }

  /** Takes out the next key that is due at `now`, undefined when none is. */
  pop(now: EpochMs): string | undefined {
    const items = this.#items;
    const first = items[0];
    if (first === undefined || first.at > now) return undefined;
    const last = items.pop()!;
    if (items.length > 0) {
      items[0] = last;
      this.#sink();
    }
    return first.key;
  }

  /** Starts over with the given keys; O(n log n), used when renewed keys outnumber the living. */
  rebuild(entries: Iterable<Due>): void {
    this.#items.length = 0;
    for (const { at, key } of entries) this.push(at, key);
  }

  #sink(): void {
    const items = this.#items;
    let parent = 0;
    for (;;) {
      const left = parent * 2 + 1;
      const right = left + 1;
      let least = parent;
      if (left < items.length && items[left]!.at < items[least]!.at) least = left;
      if (right < items.length && items[right]!.at < items[least]!.at) least = right;
      if (least === parent) return;
      [items[parent], items[least]] = [items[least]!, items[parent]!];
      parent = least;
    }
  }
}
