/**
 * A bounded memory for what is asked for soon or never: the older half is forgotten at once when the younger half is
 * full. Cheaper than an order of use, which costs more than all the rest of reading a message.
 */
export class Recent<Value> {
  readonly #half: number;
  #younger = new Map<string, Value>();
  #older = new Map<string, Value>();

  /** @param max entries; at least half of it, the youngest, are known */
  constructor(max: number) {
    this.#half = Math.max(1, Math.floor(max / 2));
  }

  get(key: string): Value | undefined {
    return this.#younger.get(key) ?? this.#older.get(key);
  }

  delete(key: string): void {
    if (!this.#younger.delete(key)) this.#older.delete(key);
  }

  set(key: string, value: Value): void {
    if (this.#younger.size >= this.#half && !this.#younger.has(key)) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(key, value);
  }
}
