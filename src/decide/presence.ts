import { NO_V4, readV4 } from '../model/index.ts';

/** One counter of each: with a hundred thousand subjects held, nine of ten strangers need no look into a table. */
const COUNTERS = 2 ** 20;
/** A counter that has come this far stays: it could not be counted down rightly. */
const FULL = 255;

/**
 * Says of most subjects that nothing is held of them, without looking into the tables of those that are: a megabyte that
 * stays near the processor, while a large table costs several trips to memory. Of what is held it never says so.
 */
export class Presence {
  readonly #counters = new Uint8Array(COUNTERS);
  /** Asked several times an event for the same subject. */
  #lastSubject = '';
  #lastPlace = 0;

  add(subject: string): void {
    const place = this.#placeOf(subject);
    if (this.#counters[place]! < FULL) this.#counters[place]! += 1;
  }

  /** To be called once for each `add`. */
  delete(subject: string): void {
    const place = this.#placeOf(subject);
    if (this.#counters[place]! < FULL) this.#counters[place]! -= 1;
  }

  /** False: certainly not there. */
  mayHold(subject: string): boolean {
    return this.#counters[this.#placeOf(subject)] !== 0;
  }

  #placeOf(subject: string): number {
    if (subject !== this.#lastSubject) {
      let mixed = readV4(subject);
      if (mixed === NO_V4) {
        mixed = 0x811c_9dc5;
        for (let index = 0; index < subject.length; index += 1)
          mixed = Math.imul(mixed ^ subject.charCodeAt(index), 0x0100_0193);
      } else mixed = Math.imul(mixed ^ 0x811c_9dc5, 0x9e37_79b1);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85eb_ca6b);
      this.#lastSubject = subject;
      this.#lastPlace = (mixed ^ (mixed >>> 13)) & (COUNTERS - 1);
    }
    return this.#lastPlace;
  }
}
