import {
  COLON,
  GREATER,
  LESS,
  QUOTE,
  scanAbsoluteUri,
  scanBareUri,
  scanList,
  scanParameters,
  scanQuoted,
  scanUri,
  skipRun,
  skipSpaces,
  skipSws,
  STAR,
  TOKEN,
  whole,
} from '../terms/index.ts';

/** `<` addr-spec `>` SWS. No blank may stand inside of the brackets (RFC 4475 badaspec). */
const scanBracketed = (text: string, at: number, end: number): number => {
  if (at >= end || text.charCodeAt(at) !== LESS) return ~at;
  const uri = scanUri(text, at + 1, end);
  if (uri < 0) return uri;
  return uri < end && text.charCodeAt(uri) === GREATER ? skipSws(text, uri + 1, end) : ~uri;
};

/**
 * name-addr from the position `display`, behind the first token of its display name if it has one. The blank between the
 * last token and `<` may be missing, against the letter of the grammar (RFC 4475 lwsdisp says so).
 */
const scanBehindToken = (text: string, display: number, end: number): number => {
  let next = display;
  for (;;) {
    const word = skipSpaces(text, next, end);
    if (word < end && text.charCodeAt(word) === LESS) return scanBracketed(text, word, end);
    if (word === next) return ~word;
    next = skipRun(text, word, end, TOKEN);
    if (next === word) return ~word;
  }
};

/**
 * name-addr = [display-name] LAQUOT addr-spec RAQUOT, and the white space behind it. `<` and `"` have white space of their
 * own before them (a second fold, behind that of a colon or a comma), a token has none.
 */
const scanNameAddr = (text: string, at: number, end: number): number => {
  const token = skipRun(text, at, end, TOKEN);
  if (token > at) return scanBehindToken(text, token, end);
  const start = skipSws(text, at, end);
  if (start >= end || text.charCodeAt(start) !== QUOTE) return scanBracketed(text, start, end);
  const display = scanQuoted(text, start, end);
  return display < 0 ? display : scanBracketed(text, skipSpaces(text, display, end), end);
};

/** name-addr / addr-spec, the latter without `,`, `;` and `?`. A scheme is a token with a colon behind it. */
export const scanAddress = (text: string, at: number, end: number): number => {
  const token = skipRun(text, at, end, TOKEN);
  if (token === at) return scanNameAddr(text, at, end);
  return token < end && text.charCodeAt(token) === COLON
    ? scanBareUri(text, at, end)
    : scanBehindToken(text, token, end);
};

const scanAddressPart = (text: string, at: number, end: number): number => {
  const next = scanAddress(text, at, end);
  return next < 0 ? next : scanParameters(text, next, end);
};

/** (name-addr / addr-spec) *(SEMI generic-param): From, To, Reply-To, Refer-To, Referred-By. */
export const scanParty = (text: string, at: number, end: number): number => {
  const next = scanAddressPart(text, skipSws(text, at, end), end);
  return next < 0 || next === end ? next : ~next;
};

const scanContactList = (text: string, at: number, end: number): number => scanList(text, at, end, scanAddressPart);

/** `*` alone, or addresses with parameters. */
export const scanContact = (text: string, at: number, end: number): number => {
  const start = skipSws(text, at, end);
  if (start < end && text.charCodeAt(start) === STAR && skipSws(text, start + 1, end) === end) return end;
  return scanContactList(text, start, end);
};

const scanRoutePart = (text: string, at: number, end: number): number => {
  const next = scanNameAddr(text, at, end);
  return next < 0 ? next : scanParameters(text, next, end);
};

/** name-addr *(SEMI rr-param), listed: Route, Record-Route, Path (RFC 3327), Service-Route (RFC 3608). */
export const scanRoute = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanRoutePart);

/** (name-addr / addr-spec), listed, without parameters: P-Asserted-Identity, P-Preferred-Identity (RFC 3325 9). */
export const scanIdentities = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanAddress);

/** `<` absoluteURI `>` *(SEMI generic-param). A SIP URI is allowed what an absoluteURI is not, as IPv6 hosts. */
const scanInfoPart = (text: string, at: number, end: number): number => {
  const start = skipSws(text, at, end);
  let next = scanBracketed(text, start, end);
  if (next < 0 && start < end && text.charCodeAt(start) === LESS) {
    const uri = scanAbsoluteUri(text, start + 1, end);
    if (uri >= 0 && uri < end && text.charCodeAt(uri) === GREATER) next = skipSws(text, uri + 1, end);
  }
  return next < 0 ? next : scanParameters(text, next, end);
};

/** Alert-Info, Call-Info, Error-Info. */
export const scanInfo = whole((text, at, end) => scanList(text, skipSws(text, at, end), end, scanInfoPart));
