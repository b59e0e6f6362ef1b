import {
  ALPHA,
  BACKSLASH,
  CLASSES,
  CLOSE_PAREN,
  CR,
  CTEXT,
  DIGIT,
  LF,
  OPEN_PAREN,
  QDTEXT,
  QUOTE,
  skipRun,
  SP,
  TOKEN,
  VISIBLE,
  WORD,
} from './chars.ts';
import { skipSpaces, skipSws } from './space.ts';

/** RFC 3261 sets no limit. Real comments are one or two deep, deeper ones are made to exhaust recursive parsers. */
export const MAX_COMMENT_DEPTH = 32;

const oneOrMore = (text: string, at: number, end: number, charClass: number): number => {
  const next = skipRun(text, at, end, charClass);
  return next === at ? ~at : next;
};

/** Also a Method, whose case counts (RFC 3261 7.1). */
export const scanToken = (text: string, at: number, end: number): number => oneOrMore(text, at, end, TOKEN);
export const scanWord = (text: string, at: number, end: number): number => oneOrMore(text, at, end, WORD);
export const scanDigits = (text: string, at: number, end: number): number => oneOrMore(text, at, end, DIGIT);

/** Bytes that follow the lead byte of a UTF8-NONASCII (RFC 2279, up to six bytes, as RFC 3261 has it); 0 for others. */
const continuationOf = (lead: number): number => {
  if (lead < 0xc0 || lead > 0xfd) return 0;
  if (lead < 0xe0) return 1;
  if (lead < 0xf0) return 2;
  if (lead < 0xf8) return 3;
  return lead < 0xfc ? 4 : 5;
};

/** UTF8-NONASCII: one character of more than one byte. */
export const scanUtf8 = (text: string, at: number, end: number): number => {
  const following = at < end ? continuationOf(text.charCodeAt(at)) : 0;
  if (following === 0) return ~at;
  for (let next = at + 1; next <= at + following; next += 1) {
    if (next >= end) return ~next;
    const code = text.charCodeAt(next);
    if (code < 0x80 || code > 0xbf) return ~next;
  }
  return at + following + 1;
};

/** `"\" (%x00-09 / %x0B-0C / %x0E-7F)`: NUL may be quoted (RFC 4475 intmeth), CR and LF may not. */
const scanQuotedPair = (text: string, at: number, end: number): number => {
  const next = at + 1;
  if (next >= end) return ~next;
  const code = text.charCodeAt(next);
  return code > 0x7f || code === CR || code === LF ? ~next : next + 1;
};

/** One element that is no plain character: a fold, a quoted-pair, a UTF-8 character. */
const scanUnusual = (text: string, at: number, end: number): number => {
  const code = text.charCodeAt(at);
  if (code === BACKSLASH) return scanQuotedPair(text, at, end);
  if (code >= 0x80) return scanUtf8(text, at, end);
  const folded = skipSws(text, at, end);
  return folded === at ? ~at : folded;
};

/** DQUOTE *(qdtext / quoted-pair) DQUOTE, without the white space that may stand before it. */
export const scanQuoted = (text: string, at: number, end: number): number => {
  if (at >= end || text.charCodeAt(at) !== QUOTE) return ~at;
  let next = at + 1;
  while (next < end) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & QDTEXT) !== 0) next += 1;
    else if (code === QUOTE) return next + 1;
    else {
      next = scanUnusual(text, next, end);
      if (next < 0) return next;
    }
  }
  return ~end;
};

/** A comment in parentheses, nested ones with it, and the white space on both of its sides. */
export const scanComment = (text: string, at: number, end: number): number => {
  let next = skipSws(text, at, end);
  if (next >= end || text.charCodeAt(next) !== OPEN_PAREN) return ~next;
  let depth = 0;
  while (next < end) {
    const code = text.charCodeAt(next);
    if (code === OPEN_PAREN) {
      depth += 1;
      if (depth > MAX_COMMENT_DEPTH) return ~next;
      next += 1;
    } else if (code === CLOSE_PAREN) {
      depth -= 1;
      next += 1;
      if (depth === 0) return skipSws(text, next, end);
    } else if ((CLASSES[code]! & CTEXT) !== 0) next += 1;
    else {
      next = scanUnusual(text, next, end);
      if (next < 0) return next;
    }
  }
  return ~end;
};

/** `*(TEXT-UTF8char / UTF8-CONT / LWS)`, the value of a header that has no grammar of its own. May be empty. */
export const scanText = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & VISIBLE) !== 0 || code === SP || (code >= 0x80 && code <= 0xbf)) next += 1;
    else {
      const after = code < 0x80 ? skipSws(text, next, end) : scanUtf8(text, next, end);
      if (after < 0) return after;
      if (after === next) return ~next;
      next = after;
    }
  }
  return next;
};

/** `[TEXT-UTF8-TRIM]`: well-formed UTF-8 that neither begins nor ends with white space. May be empty. */
export const scanTrimmedText = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & VISIBLE) !== 0) next += 1;
    else if (code >= 0x80) {
      next = scanUtf8(text, next, end);
      if (next < 0) return next;
    } else {
      const after = skipSpaces(text, next, end);
      if (next === at || after === next || after === end) return ~next;
      next = after;
    }
  }
  return next;
};

const MAX_SUBTAG_CHARS = 8;

/** `1*8ALPHA *("-" 1*8alphanum)`: RFC 3261 has letters only, RFC 5646 (`es-419`) allows digits behind the first part. */
export const scanLanguage = (text: string, at: number, end: number): number => {
  let next = skipRun(text, at, end, ALPHA);
  if (next === at || next - at > MAX_SUBTAG_CHARS) return ~at;
  while (next < end && text.charCodeAt(next) === 0x2d) {
    const tag = skipRun(text, next + 1, end, ALPHA | DIGIT);
    if (tag === next + 1 || tag - next - 1 > MAX_SUBTAG_CHARS) return ~(next + 1);
    next = tag;
  }
  return next;
};
