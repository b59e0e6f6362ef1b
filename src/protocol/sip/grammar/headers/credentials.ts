import {
  ALPHA,
  CLASSES,
  COMMA,
  DIGIT,
  EQUALS,
  QUOTE,
  scanLws,
  scanQuoted,
  scanSeparator,
  scanToken,
  skipEquals,
  skipSws,
} from '../terms/index.ts';

/** auth-param = token EQUAL (token / quoted-string), and all parameters of Digest are of this form (RFC 7616 3.3, 3.4). */
const scanAuthParameter = (text: string, at: number, end: number): number => {
  const name = scanToken(text, at, end);
  if (name < 0) return name;
  const value = skipEquals(text, name, end);
  if (value === name) return ~skipSws(text, name, end);
  if (value >= end || text.charCodeAt(value) !== QUOTE) return scanToken(text, value, end);
  const next = scanQuoted(text, value, end);
  // RDQUOT of `uri`, `response` and others has white space behind it
  return next >= 0 && skipSws(text, next, end) === end ? end : next;
};

/** `auth-param *(COMMA auth-param)`; also the value of Authentication-Info (RFC 7615). No empty element, no `;`. */
export const scanAuthParameters = (text: string, at: number, end: number): number => {
  let next = scanAuthParameter(text, skipSws(text, at, end), end);
  while (next >= 0 && next < end) {
    next = scanSeparator(text, next, end, COMMA);
    if (next >= 0) next = scanAuthParameter(text, next, end);
  }
  return next;
};

/** token68 of RFC 7235, which RFC 8898 allows for `Bearer` alone. */
const scanToken68 = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end && ((CLASSES[text.charCodeAt(next)]! & (ALPHA | DIGIT)) !== 0 || '-._~+/'.includes(text[next]!))) {
    next += 1;
  }
  if (next === at) return ~at;
  while (next < end && text.charCodeAt(next) === EQUALS) next += 1;
  return next === end ? next : ~next;
};

/**
 * Authorization, Proxy-Authorization, WWW-Authenticate, Proxy-Authenticate: auth-scheme LWS auth-params. One challenge a
 * header line: RFC 3261 7.3.1 exempts these four from the comma rule.
 */
export const scanCredentials = (text: string, at: number, end: number): number => {
  const start = skipSws(text, at, end);
  const scheme = scanToken(text, start, end);
  if (scheme < 0) return scheme;
  const parameters = scanLws(text, scheme, end);
  if (parameters < 0) return parameters;
  const next = scanAuthParameters(text, parameters, end);
  if (next >= 0 || text.slice(start, scheme).toLowerCase() !== 'bearer') return next;
  const token = scanToken68(text, parameters, end);
  return token < 0 ? next : token;
};
