/** One header line of a message, unfolded, not yet bounded or decoded. */
export interface RawHeader {
  readonly name: string;
  readonly value: string;
}

const LF = 0x0a;
const CR = 0x0d;

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Joins the lines of a folded value with single spaces (RFC 3261 7.3.1). */
const unfold = (folded: string): string =>
  folded
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();

/** End of the line that ends before the LF at `lf`: without its CR, if it has one. LF alone is tolerated. */
export const endOfLine = (text: string, start: number, lf: number): number =>
  lf > start && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf;

/**
 * Walks over the header lines from `from` and calls `visit` for each that has a name. Every character is looked at a
 * bounded number of times, however the lines are built.
 * @returns where the body starts (the length of the text when no blank line ends the headers)
 */
export const walkHeaders = (text: string, from: number, visit: (name: string, value: string) => void): number => {
  let start = from;
  let colon = -1;
  while (start < text.length) {
    let lf = text.indexOf('\n', start);
    if (lf < 0) lf = text.length;
    if (endOfLine(text, start, lf) === start) return Math.min(text.length, lf + 1);
    const firstLf = lf;
    while (lf < text.length && isBlank(text.charCodeAt(lf + 1))) {
      const next = text.indexOf('\n', lf + 1);
      lf = next < 0 ? text.length : next;
    }
    if (colon < start) {
      colon = text.indexOf(':', start);
      if (colon < 0) colon = text.length;
    }
    if (colon < firstLf) {
      const name = text.slice(start, colon).trimEnd();
      const value = text.slice(colon + 1, endOfLine(text, start, lf));
      if (name !== '') visit(name, lf === firstLf ? value.trim() : unfold(value));
    }
    start = lf + 1;
  }
  return text.length;
};

/** True when the text at `index` is a line break. */
export const isLineBreak = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index);
  return code === LF || code === CR;
};
