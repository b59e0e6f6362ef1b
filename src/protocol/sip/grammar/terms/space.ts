import { BLANK, CR, LF, SP, skipRun } from './chars.ts';

/**
 * `SWS`: at most one `LWS = [*WSP CRLF] 1*WSP`, so a fold counts only when its line holds a blank, and a line of blanks
 * alone is no second fold. LF alone is read as a line end: that a message has such is a finding of its own.
 * @returns the position behind it, `at` when there is none; never fails
 */
export const skipSws = (text: string, at: number, end: number): number => {
  if (at >= end || text.charCodeAt(at) > SP) return at;
  const blanks = skipRun(text, at, end, BLANK);
  let next = blanks;
  if (next < end && text.charCodeAt(next) === CR) next += 1;
  if (next >= end || text.charCodeAt(next) !== LF) return blanks;
  const folded = skipRun(text, next + 1, end, BLANK);
  return folded > next + 1 ? folded : blanks;
};

/** `*LWS`: any number of folds, as between the words of free text. */
export const skipSpaces = (text: string, at: number, end: number): number => {
  let next = at;
  for (;;) {
    const after = skipSws(text, next, end);
    if (after === next) return next;
    next = after;
  }
};

export const scanLws = (text: string, at: number, end: number): number => {
  const next = skipSws(text, at, end);
  return next === at ? ~at : next;
};

/** `SWS` separator `SWS`: SLASH, EQUAL, SEMI, COMMA, COLON. Fails at the place where the separator should be. */
export const scanSeparator = (text: string, at: number, end: number, separator: number): number => {
  let next = at;
  if (at >= end || text.charCodeAt(at) !== separator) {
    next = skipSws(text, at, end);
    if (next === at || next >= end || text.charCodeAt(next) !== separator) return ~next;
  }
  next += 1;
  return next < end && text.charCodeAt(next) <= SP ? skipSws(text, next, end) : next;
};
