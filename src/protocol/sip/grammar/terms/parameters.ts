import { COMMA, EQUALS, OPEN_BRACKET, QUOTE, SEMI, SP } from './chars.ts';
import { scanIpv6Reference } from './host.ts';
import { scanSeparator, skipSws } from './space.ts';
import { scanQuoted, scanToken } from './words.ts';

/** What every rule of the grammar is: position behind the match, or `~offset` of the fault. */
export type Scanner = (text: string, at: number, end: number) => number;

/** token / host / quoted-string; of the hosts only IPv6 references are no tokens. */
export const scanParameterValue = (text: string, at: number, end: number): number => {
  if (at >= end) return ~at;
  const code = text.charCodeAt(at);
  if (code === QUOTE) return scanQuoted(text, at, end);
  return code === OPEN_BRACKET ? scanIpv6Reference(text, at, end) : scanToken(text, at, end);
};

/** Position behind `SWS "=" SWS`, or `at` when no `=` follows. */
export const skipEquals = (text: string, at: number, end: number): number => {
  if (at >= end) return at;
  let equals = at;
  if (text.charCodeAt(at) !== EQUALS) {
    equals = skipSws(text, at, end);
    if (equals === at || equals >= end || text.charCodeAt(equals) !== EQUALS) return at;
  }
  equals += 1;
  return equals < end && text.charCodeAt(equals) <= SP ? skipSws(text, equals, end) : equals;
};

/** generic-param = token [EQUAL gen-value]. */
export const scanParameter = (text: string, at: number, end: number): number => {
  const name = scanToken(text, at, end);
  if (name < 0) return name;
  const value = skipEquals(text, name, end);
  return value === name ? name : scanParameterValue(text, value, end);
};

/** `*(SEMI parameter)`. White space that leads to no `;` is left where it is. */
export const scanParameters = (text: string, at: number, end: number, scanOne: Scanner = scanParameter): number => {
  let next = at;
  while (next < end) {
    const one = scanSeparator(text, next, end, SEMI);
    if (one < 0) return next;
    next = scanOne(text, one, end);
    if (next < 0) return next;
  }
  return next;
};

/** `item *(COMMA item)` to the last character of the range. */
export const scanList = (text: string, at: number, end: number, scanItem: Scanner): number => {
  let next = scanItem(text, at, end);
  while (next >= 0 && next < end) {
    const item = scanSeparator(text, next, end, COMMA);
    if (item < 0) return item;
    next = scanItem(text, item, end);
  }
  return next;
};

/** A scanner that fails unless the whole range is of its rule. */
export const whole =
  (scan: Scanner): Scanner =>
  (text, at, end) => {
    const next = scan(text, at, end);
    return next < 0 || next === end ? next : ~next;
  };
