import {
  ALPHA,
  AMPERSAND,
  AT,
  BARE_USER,
  CLASSES,
  COLON,
  COMMA,
  DASH,
  DIGIT,
  DOT,
  EQUALS,
  HNV,
  OPEN_BRACKET,
  PARAM,
  PASSWORD,
  PLUS,
  QUESTION,
  SEMI,
  skipEscaped,
  skipRun,
  SLASH,
  TOKEN,
  URIC,
  USER,
} from './chars.ts';
import { scanHostPort, scanIpv6Reference } from './host.ts';
import { scanTelUri } from './tel.ts';
import { scanDigits } from './words.ts';

/** Lower case of an ASCII letter; other characters are changed too, so compare with letters only. */
const lower = (text: string, at: number): number => text.charCodeAt(at) | 0x20;

/**
 * userinfo with its `@`, or `at` when there is none. No other part of a SIP URI may hold a bare `@`, so the one that
 * ends the longest run of user characters is the only possible one.
 */
export const skipUserinfo = (text: string, at: number, end: number, bare: boolean): number => {
  const user = skipEscaped(text, at, end, bare ? BARE_USER : USER);
  if (user === at || user >= end) return at;
  const code = text.charCodeAt(user);
  if (code === AT) return user + 1;
  if (code !== COLON) return at;
  const password = skipEscaped(text, user + 1, end, PASSWORD);
  return password < end && text.charCodeAt(password) === AT ? password + 1 : at;
};

/** transport, user and method take tokens, which have two characters more than other values: `%` alone and a backtick. */
const TOKEN_VALUED: ReadonlySet<string> = new Set(['transport', 'user', 'method']);
const LONGEST_TOKEN_VALUED_CHARS = 9;

/** `*(";" uri-parameter)`: neither name nor value may be empty. */
export const scanUriParameters = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end && text.charCodeAt(next) === SEMI) {
    const name = next + 1;
    next = skipEscaped(text, name, end, PARAM);
    if (next === name) return ~name;
    if (next >= end || text.charCodeAt(next) !== EQUALS) continue;
    const value = next + 1;
    const nameChars = next - name;
    next = skipEscaped(text, value, end, PARAM);
    const stop = next < end ? text.charCodeAt(next) : SEMI;
    const isUnusual = (CLASSES[stop]! & TOKEN) !== 0 && nameChars <= LONGEST_TOKEN_VALUED_CHARS;
    if (isUnusual && TOKEN_VALUED.has(text.slice(name, name + nameChars).toLowerCase())) {
      next = skipRun(text, value, end, TOKEN);
    }
    if (next === value) return ~value;
  }
  return next;
};

/** `["?" header *("&" header)]`: a name and `=`, the value may be empty. */
export const scanUriHeaders = (text: string, at: number, end: number): number => {
  if (at >= end || text.charCodeAt(at) !== QUESTION) return at;
  let next = at;
  do {
    const name = next + 1;
    next = skipEscaped(text, name, end, HNV);
    if (next === name) return ~name;
    if (next >= end || text.charCodeAt(next) !== EQUALS) return ~next;
    next = skipEscaped(text, next + 1, end, HNV);
  } while (next < end && text.charCodeAt(next) === AMPERSAND);
  return next;
};

/** Length of `sip:` or `sips:` at `at`, 0 when another scheme stands there. */
export const sipSchemeChars = (text: string, at: number, end: number): number => {
  if (at + 4 > end || lower(text, at) !== 0x73 || lower(text, at + 1) !== 0x69 || lower(text, at + 2) !== 0x70)
    return 0;
  if (text.charCodeAt(at + 3) === COLON) return 4;
  return at + 5 <= end && lower(text, at + 3) === 0x73 && text.charCodeAt(at + 4) === COLON ? 5 : 0;
};

const scanSipBody = (text: string, at: number, end: number, bare: boolean): number => {
  let next = scanHostPort(text, skipUserinfo(text, at, end, bare), end);
  if (bare || next < 0 || next >= end) return next;
  next = scanUriParameters(text, next, end);
  return next < 0 ? next : scanUriHeaders(text, next, end);
};

/** SIP-URI / SIPS-URI, with parameters and headers. */
export const scanSipUri = (text: string, at: number, end: number): number => {
  const scheme = sipSchemeChars(text, at, end);
  return scheme === 0 ? ~at : scanSipBody(text, at + scheme, end, false);
};

/** reserved / unreserved / escaped; of a bare URI without `,`, `;` and `?`. */
const skipUric = (text: string, at: number, end: number, bare: boolean): number => {
  let next = skipEscaped(text, at, end, URIC);
  if (!bare) return next;
  for (let index = at; index < next; index += 1) {
    const code = text.charCodeAt(index);
    if (code === COMMA || code === SEMI || code === QUESTION) next = index;
  }
  return next;
};

/**
 * absoluteURI of RFC 2396: scheme and at least one character. Hierarchical and opaque parts are made of the same
 * characters; brackets may stand only around the IPv6 address of an authority. No fragment.
 */
const scanAbsolute = (text: string, at: number, end: number, bare: boolean): number => {
  let next = at;
  if (next >= end || (CLASSES[text.charCodeAt(next)]! & ALPHA) === 0) return ~at;
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & (ALPHA | DIGIT)) === 0 && code !== PLUS && code !== DASH && code !== DOT) break;
  }
  if (next >= end || text.charCodeAt(next) !== COLON) return ~next;
  const body = next + 1;
  next = skipUric(text, body, end, bare);
  const hasAuthority = next > body + 1 && text.charCodeAt(body) === SLASH && text.charCodeAt(body + 1) === SLASH;
  if (hasAuthority && next < end && text.charCodeAt(next) === OPEN_BRACKET) {
    if (next !== body + 2 && text.charCodeAt(next - 1) !== AT) return ~next;
    const reference = scanIpv6Reference(text, next, end);
    if (reference < 0) return reference;
    next = reference < end && text.charCodeAt(reference) === COLON ? scanDigits(text, reference + 1, end) : reference;
    if (next < 0) return next;
    const code = next < end ? text.charCodeAt(next) : SLASH;
    return code === SLASH || code === QUESTION ? skipUric(text, next, end, bare) : next;
  }
  return next === body ? ~body : next;
};

export const scanAbsoluteUri = (text: string, at: number, end: number): number => scanAbsolute(text, at, end, false);

/**
 * addr-spec, and Request-URI, which is the same: SIP-URI / SIPS-URI / absoluteURI. What begins with `sip:` or `sips:` is
 * never taken as an absoluteURI, which would forgive `sip:host:` and `sip:@host`. tel URIs pass as RFC 3966 has
 * them too (`#`, brackets), with or without its context.
 */
export const scanUri = (text: string, at: number, end: number): number => {
  const scheme = sipSchemeChars(text, at, end);
  if (scheme > 0) return scanSipBody(text, at + scheme, end, false);
  const absolute = scanAbsolute(text, at, end, false);
  if (absolute >= end || lower(text, at) !== 0x74) return absolute;
  return Math.max(absolute, scanTelUri(text, at, end, false));
};

/** addr-spec without angle brackets: no `,`, `;` or `?` in it, parameters behind it are the header's (RFC 3261 20). */
export const scanBareUri = (text: string, at: number, end: number): number => {
  const scheme = sipSchemeChars(text, at, end);
  return scheme > 0 ? scanSipBody(text, at + scheme, end, true) : scanAbsolute(text, at, end, true);
};

/**
 * Table of RFC 3261 19.1.1: a Request-URI has no headers and no `method`, though the grammar has them (RFC 4475 escruri).
 * For a URI that `scanUri` took.
 * @returns `end`, or the fault at the `?` or at the parameter
 */
export const checkRequestUri = (text: string, at: number, end: number): number => {
  const scheme = sipSchemeChars(text, at, end);
  if (scheme === 0) return end;
  for (let next = skipUserinfo(text, at + scheme, end, false); next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (code === QUESTION) return ~next;
    if (
      code === SEMI &&
      text.charCodeAt(next + 7) === EQUALS &&
      text.slice(next + 1, next + 7).toLowerCase() === 'method'
    ) {
      return ~(next + 1);
    }
  }
  return end;
};
