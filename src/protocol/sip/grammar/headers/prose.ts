import {
  DIGIT,
  OPEN_PAREN,
  scanComment,
  scanHostPort,
  scanList,
  scanQuoted,
  scanSeparator,
  scanText,
  scanToken,
  scanTrimmedText,
  skipRun,
  skipSpaces,
  skipSws,
  SLASH,
  SP,
  whole,
} from '../terms/index.ts';

/** product / comment, where product = token [SLASH token]. */
const scanServerPart = (text: string, at: number, end: number): number => {
  if (at < end && text.charCodeAt(at) === OPEN_PAREN) return scanComment(text, at, end);
  const product = scanToken(text, at, end);
  if (product < 0) return product;
  const version = scanSeparator(text, product, end, SLASH);
  return version < 0 ? product : scanToken(text, version, end);
};

/** `server-val *(LWS server-val)`: User-Agent, Server. White space stands between all of them, also before a comment. */
export const scanProducts = (text: string, at: number, end: number): number => {
  let next = scanServerPart(text, skipSws(text, at, end), end);
  while (next >= 0 && next < end) {
    const part = skipSpaces(text, next, end);
    // a comment takes the white space behind it along
    if (part === next && (text.charCodeAt(next - 1) > SP || next === at)) return ~next;
    next = scanServerPart(text, part, end);
  }
  return next;
};

/** Subject, Organization. */
export const scanSubject = whole((text, at, end) => scanTrimmedText(text, skipSws(text, at, end), end));

/** Headers without a grammar of their own. */
export const scanAnyValue = whole(scanText);

const WARN_CODE_DIGITS = 3;

const scanWarning = (text: string, at: number, end: number): number => {
  const code = skipRun(text, at, end, DIGIT);
  if (code - at !== WARN_CODE_DIGITS) return ~Math.min(code, at + WARN_CODE_DIGITS);
  if (code >= end || text.charCodeAt(code) !== SP) return ~code;
  const host = scanHostPort(text, code + 1, end);
  const agent = host >= 0 && host < end && text.charCodeAt(host) === SP ? host : scanToken(text, code + 1, end);
  if (agent < 0) return agent;
  if (agent >= end || text.charCodeAt(agent) !== SP) return ~agent;
  return scanQuoted(text, skipSws(text, agent + 1, end), end);
};

/** warn-code SP warn-agent SP warn-text, listed. */
export const scanWarnings = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanWarning);

const DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/i;
const DATE_CHARS = 29;

/** rfc1123-date, in GMT alone (RFC 3261 20.17). Its length is fixed, so the pattern looks at 29 characters at most. */
export const scanDate = (text: string, at: number, end: number): number => {
  const start = skipSws(text, at, end);
  if (end - start === DATE_CHARS && DATE.test(text.slice(start, end))) return end;
  return ~start;
};
