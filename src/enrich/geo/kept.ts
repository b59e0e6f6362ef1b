import { randomInt } from 'node:crypto';
import { NO_V4, readV4 } from '../../model/index.ts';

/**
 * Remembers a value for each of many addresses, each in the one place that its hash gives it, where the next address of
 * that place pushes it out. So every step costs the same, and a flood of addresses costs no more than looking each of them
 * up. The hash is seeded: nobody can choose addresses that meet in one place. IPv4 addresses are kept as numbers, so that
 * nothing is compared letter by letter; all others have places of their own.
 */
export class Kept<Value> {
  readonly #mask: number;
  readonly #seed = randomInt(2 ** 32) | 0;
  readonly #numbers: Int32Array;
  readonly #ofNumbers: (Value | undefined)[];
  readonly #texts: (string | undefined)[];
  readonly #ofTexts: (Value | undefined)[];

  /** @param places a power of two, for each of the families */
  constructor(places: number) {
    this.#mask = places - 1;
    this.#numbers = new Int32Array(places);
    this.#ofNumbers = Array<Value | undefined>(places).fill(undefined);
    this.#texts = Array<string | undefined>(places).fill(undefined);
    this.#ofTexts = Array<Value | undefined>(places).fill(undefined);
  }

  get(ip: string): Value | undefined {
    const v4 = readV4(ip);
    if (v4 === NO_V4) {
      const place = this.#placeOfText(ip);
      return this.#texts[place] === ip ? this.#ofTexts[place] : undefined;
    }
    const place = this.#placeOf(v4);
    return this.#numbers[place] === v4 ? this.#ofNumbers[place] : undefined;
  }

  set(ip: string, value: Value): void {
    const v4 = readV4(ip);
    if (v4 === NO_V4) {
      const place = this.#placeOfText(ip);
      this.#texts[place] = ip;
      this.#ofTexts[place] = value;
      return;
    }
    const place = this.#placeOf(v4);
    this.#numbers[place] = v4;
    if (this.#ofNumbers[place] !== value) this.#ofNumbers[place] = value;
  }

  clear(): void {
    this.#ofNumbers.fill(undefined);
    this.#texts.fill(undefined);
    this.#ofTexts.fill(undefined);
  }

  #placeOf(number: number): number {
    let mixed = Math.imul(number ^ this.#seed, 0x9e37_79b1);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    return (mixed ^ (mixed >>> 13)) & this.#mask;
  }

  #placeOfText(text: string): number {
    let mixed = 0;
    for (let index = 0; index < text.length; index += 1) mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x0100_0193);
    return this.#placeOf(mixed);
  }
}
