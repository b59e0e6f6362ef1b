/** Digits at the end of a name that are compared as a number; more than nine would be a whole phone number. */
const MAX_NUMBER_DIGITS = 9;

/** `sip0107` is number 107 behind `sip`; leading zeros do not matter, for scanners pad. */
export interface NumberedName {
  readonly stem: string;
  readonly number: number;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** Splits the digits off the end of a name. @returns undefined when it does not end in a digit */
export const readNumber = (name: string): NumberedName | undefined => {
  let start = name.length;
  while (start > 0 && name.length - start < MAX_NUMBER_DIGITS && isDigit(name.charCodeAt(start - 1))) start -= 1;
  if (start === name.length) return undefined;
  return { stem: name.slice(0, start), number: Number(name.slice(start)) };
};

/** Largest distance between neighbours of a run: scanners step by 1, by 2 (odd rooms), by 5 or 10. */
const MAX_STEP = 10;

/** A run of numbers with one constant step. */
export interface Run {
  readonly length: number;
  readonly step: number;
}

/**
 * The longest run among these numbers: numbers that follow each other with a constant step, whatever the order in which
 * they came (ascending, descending, shuffled). Each run is walked once, from its lowest number.
 */
export const longestRun = (numbers: ReadonlySet<number>): Run => {
  let best: Run = { length: 0, step: 0 };
  for (let step = 1; step <= MAX_STEP; step += 1) {
    for (const number of numbers) {
      if (numbers.has(number - step)) continue;
      let length = 1;
      while (numbers.has(number + length * step)) length += 1;
      if (length > best.length) best = { length, step };
    }
  }
  return best;
};
