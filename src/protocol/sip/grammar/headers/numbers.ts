import {
  DIGIT,
  DOT,
  OPEN_PAREN,
  scanComment,
  scanDigits,
  scanLws,
  scanToken,
  scanParameters,
  skipRun,
  skipSws,
  whole,
} from '../terms/index.ts';

/** 1*DIGIT: Max-Forwards, Content-Length, Expires, Min-Expires, RSeq, Max-Breadth. What is too large, bounds.ts knows. */
export const scanNumber = whole((text, at, end) => scanDigits(text, skipSws(text, at, end), end));

/** 1*DIGIT LWS Method. */
export const scanCSeq = whole((text, at, end) => {
  let next = scanDigits(text, skipSws(text, at, end), end);
  if (next >= 0) next = scanLws(text, next, end);
  return next < 0 ? next : scanToken(text, next, end);
});

/** RAck (RFC 3262 7.2): response number, CSeq number, method. */
export const scanRAck = whole((text, at, end) => {
  let next = scanDigits(text, skipSws(text, at, end), end);
  if (next >= 0) next = scanLws(text, next, end);
  return next < 0 ? next : scanCSeq(text, next, end);
});

/** delta-seconds *(SEMI generic-param): Session-Expires, Min-SE (RFC 4028). */
export const scanSeconds = whole((text, at, end) => {
  const next = scanDigits(text, skipSws(text, at, end), end);
  return next < 0 ? next : scanParameters(text, next, end);
});

/** delta-seconds [comment] *(SEMI retry-param). */
export const scanRetryAfter = whole((text, at, end) => {
  let next = scanDigits(text, skipSws(text, at, end), end);
  if (next < 0) return next;
  const comment = skipSws(text, next, end);
  if (comment < end && text.charCodeAt(comment) === OPEN_PAREN) next = scanComment(text, next, end);
  return next < 0 ? next : scanParameters(text, next, end);
});

/** 1*DIGIT "." 1*DIGIT: MIME-Version. */
export const scanMimeVersion = whole((text, at, end) => {
  const major = scanDigits(text, skipSws(text, at, end), end);
  if (major < 0) return major;
  return major < end && text.charCodeAt(major) === DOT ? scanDigits(text, major + 1, end) : ~major;
});

const skipFraction = (text: string, at: number, end: number): number =>
  at < end && text.charCodeAt(at) === DOT ? skipRun(text, at + 1, end, DIGIT) : at;

/** 1*DIGIT ["." *DIGIT] [LWS *DIGIT ["." *DIGIT]]: Timestamp. */
export const scanTimestamp = whole((text, at, end) => {
  const seconds = scanDigits(text, skipSws(text, at, end), end);
  if (seconds < 0) return seconds;
  const stamp = skipFraction(text, seconds, end);
  const delay = skipSws(text, stamp, end);
  return delay === stamp ? stamp : skipFraction(text, skipRun(text, delay, end, DIGIT), end);
});
