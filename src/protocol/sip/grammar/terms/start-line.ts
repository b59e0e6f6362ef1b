import { BLANK, CLASSES, DIGIT, DOT, isEscape, PERCENT, skipRun, SLASH, SP, URIC } from './chars.ts';
import { scanUri } from './uri.ts';
import { scanDigits, scanToken, scanUtf8 } from './words.ts';

const STATUS_DIGITS = 3;

const scanSpace = (text: string, at: number, end: number): number =>
  at < end && text.charCodeAt(at) === SP ? at + 1 : ~at;

/** `SIP` in any case. */
const isSipWord = (text: string, at: number): boolean =>
  (text.charCodeAt(at) | 0x20) === 0x73 &&
  (text.charCodeAt(at + 1) | 0x20) === 0x69 &&
  (text.charCodeAt(at + 2) | 0x20) === 0x70;

/** `"SIP" "/" 1*DIGIT "." 1*DIGIT`, in any case (RFC 3261 7.1). Which version is `isVersion2`. */
export const scanVersion = (text: string, at: number, end: number): number => {
  if (at + 4 > end || text.charCodeAt(at + 3) !== SLASH || !isSipWord(text, at)) return ~at;
  const major = scanDigits(text, at + 4, end);
  if (major < 0) return major;
  return major < end && text.charCodeAt(major) === DOT ? scanDigits(text, major + 1, end) : ~major;
};

/** True for exactly `SIP/2.0` (RFC 3261 7.1 MUST); other versions are answered with 505. */
export const isVersion2 = (text: string, at: number, end: number): boolean =>
  end - at === 7 && isSipWord(text, at) && text.startsWith('/2.0', at + 3);

/** Method SP Request-URI SP SIP-Version, to the last character: one SP each, none elsewhere. */
export const scanRequestLine = (text: string, at: number, end: number): number => {
  let next = scanToken(text, at, end);
  if (next >= 0) next = scanSpace(text, next, end);
  if (next >= 0) next = scanUri(text, next, end);
  if (next >= 0) next = scanSpace(text, next, end);
  if (next >= 0) next = scanVersion(text, next, end);
  return next < 0 || next === end ? next : ~next;
};

/** Exactly three digits. That they are 100 to 699 is `isStatusWithin`. */
export const scanStatusCode = (text: string, at: number, end: number): number => {
  const next = skipRun(text, at, end, DIGIT);
  return next - at === STATUS_DIGITS ? next : ~Math.min(next, at + STATUS_DIGITS);
};

/** `*(reserved / unreserved / escaped / UTF8-NONASCII / UTF8-CONT / SP / HTAB)`; may be empty (RFC 4475 noreason). */
export const scanReason = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & (URIC | BLANK)) !== 0 || (code >= 0x80 && code <= 0xbf)) next += 1;
    else if (code === PERCENT && isEscape(text, next, end)) next += 3;
    else if (code > 0xbf) {
      next = scanUtf8(text, next, end);
      if (next < 0) return next;
    } else return ~next;
  }
  return next;
};

/** SIP-Version SP Status-Code SP Reason-Phrase, to the last character. */
export const scanStatusLine = (text: string, at: number, end: number): number => {
  let next = scanVersion(text, at, end);
  if (next >= 0) next = scanSpace(text, next, end);
  if (next >= 0) next = scanStatusCode(text, next, end);
  if (next >= 0) next = scanSpace(text, next, end);
  return next < 0 ? next : scanReason(text, next, end);
};
