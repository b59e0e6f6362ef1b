import {
  QUOTE,
  scanLanguage,
  scanList,
  scanParameter,
  scanParameters,
  scanQuoted,
  scanSeparator,
  scanToken,
  skipEquals,
  skipSws,
  SLASH,
  STAR,
  whole,
} from '../terms/index.ts';

/** m-type SLASH m-subtype; `*` is a token too. */
const scanMediaRange = (text: string, at: number, end: number): number => {
  let next = scanToken(text, at, end);
  if (next >= 0) next = scanSeparator(text, next, end, SLASH);
  return next < 0 ? next : scanToken(text, next, end);
};

/** m-attribute EQUAL m-value: unlike other parameters never without a value. */
const scanMediaParameter = (text: string, at: number, end: number): number => {
  const name = scanToken(text, at, end);
  if (name < 0) return name;
  const value = skipEquals(text, name, end);
  if (value === name) return ~name;
  return value < end && text.charCodeAt(value) === QUOTE ? scanQuoted(text, value, end) : scanToken(text, value, end);
};

/** Content-Type. */
export const scanMediaType = whole((text, at, end) => {
  const next = scanMediaRange(text, skipSws(text, at, end), end);
  return next < 0 ? next : scanParameters(text, next, end, scanMediaParameter);
});

const scanLanguageRange = (text: string, at: number, end: number): number =>
  at < end && text.charCodeAt(at) === STAR ? at + 1 : scanLanguage(text, at, end);

/** `[item *(SEMI accept-param) *(COMMA item …)]`, may be empty. */
const acceptOf =
  (scanItem: typeof scanToken): typeof scanToken =>
  (text, at, end) => {
    const start = skipSws(text, at, end);
    if (start === end) return end;
    return scanList(text, start, end, (inner, from, to) => {
      const next = scanItem(inner, from, to);
      return next < 0 ? next : scanParameters(inner, next, to, scanParameter);
    });
  };

export const scanAccept = acceptOf(scanMediaRange);
export const scanAcceptEncoding = acceptOf(scanToken);
export const scanAcceptLanguage = acceptOf(scanLanguageRange);

/** Content-Language. */
export const scanLanguages = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanLanguage);
