import type { SourceTable } from './source-table.ts';
import type { SparseColumn } from './sparse-column.ts';

/** Bytes of one slot: the length plus one, then a byte for each character. */
const WIDTH = 16;
const MAX_CHARS = WIDTH - 1;

/** What cannot stand in the slot itself. */
const ELSEWHERE = 0xff;

/**
 * A short text for each slot, kept as bytes: a string would cost twice as much, and be one more object for the garbage
 * collector to look at. Longer texts, and those of more than a byte a character, are strings in a sparse column.
 */
export class TextColumn {
  readonly #bytes: Uint8Array;
  readonly #long: SparseColumn<string>;

  constructor(table: SourceTable) {
    this.#bytes = table.bytes(WIDTH);
    this.#long = table.sparse<string>();
  }

  has(slot: number): boolean {
    return this.#bytes[slot * WIDTH] !== 0;
  }

  get(slot: number): string | undefined {
    const start = slot * WIDTH;
    const mark = this.#bytes[start]!;
    if (mark === 0) return undefined;
    if (mark === ELSEWHERE) return this.#long.get(slot);
    return String.fromCharCode(...this.#bytes.subarray(start + 1, start + mark));
  }

  /** Whether exactly this text stands there. */
  is(slot: number, text: string): boolean {
    const start = slot * WIDTH;
    const mark = this.#bytes[start]!;
    if (mark === ELSEWHERE) return this.#long.get(slot) === text;
    if (mark !== text.length + 1) return false;
    for (let index = 0; index < text.length; index += 1)
      if (this.#bytes[start + 1 + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  set(slot: number, text: string): void {
    const start = slot * WIDTH;
    this.delete(slot);
    let fits = text.length <= MAX_CHARS;
    for (let index = 0; fits && index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      fits = code <= 0xff;
      this.#bytes[start + 1 + index] = code;
    }
    this.#bytes[start] = fits ? text.length + 1 : ELSEWHERE;
    if (!fits) this.#long.set(slot, text);
  }

  delete(slot: number): void {
    const start = slot * WIDTH;
    if (this.#bytes[start] === ELSEWHERE) this.#long.delete(slot);
    this.#bytes[start] = 0;
  }
}
