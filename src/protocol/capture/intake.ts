const NOTHING = Buffer.alloc(0);

/** Hands out a file's bytes in the sizes that its format asks for, whatever the sizes of the chunks. */
export class Intake {
  readonly #chunks: Iterator<Buffer>;
  #held: Buffer = NOTHING;
  #from = 0;

  constructor(chunks: Iterable<Buffer>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** The next bytes without taking them, fewer at the end. @param size bounded by the caller: so much is held */
  peek(size: number): Buffer {
    this.#hold(size);
    return this.#held.subarray(this.#from, this.#from + size);
  }

  /** The next bytes. @returns undefined when fewer are left; those stay */
  take(size: number): Buffer | undefined {
    if (!this.#hold(size)) return undefined;
    const from = this.#from;
    this.#from += size;
    return this.#held.subarray(from, this.#from);
  }

  /** The bytes that `place` speaks of, until the next call of anything. */
  get held(): Buffer {
    return this.#held;
  }

  /** Takes the next bytes without a view of them. @returns where they begin in `held`, or -1 when fewer are left; those stay */
  place(size: number): number {
    if (!this.#hold(size)) return -1;
    const from = this.#from;
    this.#from += size;
    return from;
  }

  /** Leaves out any number of bytes without holding them. @returns false at the end */
  skip(size: number): boolean {
    let left = size;
    for (;;) {
      const here = Math.min(left, this.#held.length - this.#from);
      this.#from += here;
      left -= here;
      if (left === 0) return true;
      if (!this.#hold(1)) return false;
    }
  }

  /** The next line without its end; longer ones are cut, the rest of them is left out. @returns undefined at the end */
  line(maxBytes: number): { readonly text: string; readonly cut: boolean } | undefined {
    if (!this.#hold(1)) return undefined;
    let scanned = 0;
    for (;;) {
      const lf = this.#held.indexOf(0x0a, this.#from + scanned);
      const length = (lf < 0 ? this.#held.length : lf) - this.#from;
      if (lf < 0 && length <= maxBytes) {
        scanned = length;
        if (this.#hold(length + 1)) continue;
      }
      // holding may have moved everything: only what is counted from the start of the line still stands
      const text = this.#held.toString('utf8', this.#from, this.#from + Math.min(length, maxBytes));
      const cut = length > maxBytes;
      this.#from += length + (lf < 0 ? 0 : 1);
      if (lf < 0 && cut) this.#skipLine();
      return { text, cut };
    }
  }

  #skipLine(): void {
    while (this.#hold(1)) {
      const lf = this.#held.indexOf(0x0a, this.#from);
      this.#from = lf < 0 ? this.#held.length : lf + 1;
      if (lf >= 0) return;
    }
  }

  #hold(size: number): boolean {
    if (this.#held.length - this.#from >= size) return true;
    const parts = [this.#held.subarray(this.#from)];
    let length = this.#held.length - this.#from;
    while (length < size) {
      const next = this.#chunks.next();
      if (next.done === true) break;
      parts.push(next.value);
      length += next.value.length;
    }
    this.#held = parts.length === 2 && parts[0]!.length === 0 ? parts[1]! : Buffer.concat(parts);
    this.#from = 0;
    return length >= size;
  }
}
