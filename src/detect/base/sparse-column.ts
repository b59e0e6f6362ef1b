/** Slots of one chunk. */
const CHUNK_BITS = 10;
const CHUNK_SLOTS = 2 ** CHUNK_BITS;

/**
 * Values that only some slots of a table have. Memory comes in chunks, to where there are values: it neither grows by
 * copying nor does a column without values cost anything.
 */
export class SparseColumn<Value> {
  readonly #chunks: ((Value | undefined)[] | undefined)[] = [];

  get(slot: number): Value | undefined {
    return this.#chunks[slot >> CHUNK_BITS]?.[slot & (CHUNK_SLOTS - 1)];
  }

  set(slot: number, value: Value): void {
    const number = slot >> CHUNK_BITS;
    while (this.#chunks.length <= number) this.#chunks.push(undefined);
    const chunk = (this.#chunks[number] ??= Array<Value | undefined>(CHUNK_SLOTS).fill(undefined));
    chunk[slot & (CHUNK_SLOTS - 1)] = value;
  }

  delete(slot: number): void {
    const chunk = this.#chunks[slot >> CHUNK_BITS];
    if (chunk !== undefined) chunk[slot & (CHUNK_SLOTS - 1)] = undefined;
  }
}
