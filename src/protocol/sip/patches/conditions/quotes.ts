const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Offset of the quote that opens a string which does not end before `end`, or -1. */
export const openQuote = (text: string, from: number, end: number): number => {
  // within a slice: a search beyond the line would make many lines cost their square
  const value = text.slice(from, end);
  let open = value.indexOf('"');
  while (open >= 0) {
    let at = open + 1;
    while (at < value.length && value.charCodeAt(at) !== QUOTE) at += value.charCodeAt(at) === BACKSLASH ? 2 : 1;
    if (at >= value.length) return from + open;
    open = value.indexOf('"', at + 1);
  }
  return -1;
};

/** Offset behind the quoted string that opens at `at`, or `end`. */
export const behindQuoted = (text: string, open: number, end: number): number => {
  let at = open + 1;
  while (at < end && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, end);
};

/** The same, of bytes. */
export const endOfQuoted = (bytes: Uint8Array, open: number, end: number): number => {
  let at = open + 1;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, end);
};
