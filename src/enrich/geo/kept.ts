import { randomInt } from 'node:crypto';

/**
 * Remembers a value for each of many texts, each in the one place that its hash gives it, where the next text of that place
 * pushes it out. So every step costs the same, and a flood of addresses costs no more than looking each of them up. The
 * hash is seeded: nobody can choose addresses that meet in one place.
 */
export class Kept<Value> {
  readonly #mask: number;
  readonly #seed = randomInt(2 ** 32) | 0;
  readonly #texts: (string | undefined)[];
  readonly #values: (Value | undefined)[];

  /** @param places a power of two */
  constructor(places: number) {
    this.#mask = places - 1;
    this.#texts = Array<string | undefined>(places).fill(undefined);
    this.#values = Array<Value | undefined>(places).fill(undefined);
  }

  get(text: string): Value | undefined {
    const place = this.#placeOf(text);
    return this.#texts[place] === text ? this.#values[place] : undefined;
  }

  set(text: string, value: Value): void {
    const place = this.#placeOf(text);
    this.#texts[place] = text;
    this.#values[place] = value;
  }

  clear(): void {
    this.#texts.fill(undefined);
    this.#values.fill(undefined);
  }

  #placeOf(text: string): number {
    let mixed = this.#seed;
    for (let index = 0; index < text.length; index += 1) mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x0100_0193);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    return (mixed ^ (mixed >>> 13)) & this.#mask;
  }
}
