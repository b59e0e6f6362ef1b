const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Offset of the quote that opens a string which does not end before `end`, or -1. */
export const openQuote = (text: string, from: number, end: number): number => {
  let open = text.indexOf('"', from);
  while (open >= 0 && open < end) {
    let at = open + 1;
    while (at < end && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
    if (at >= end) return open;
    open = text.indexOf('"', at + 1);
  }
  return -1;
};

/** Offset behind the quoted string that opens at `at`, or `end`. */
export const behindQuoted = (text: string, open: number, end: number): number => {
  let at = open + 1;
  while (at < end && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, end);
};
