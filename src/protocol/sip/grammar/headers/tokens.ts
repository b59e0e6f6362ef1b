import { AT, DOT, scanList, scanParameters, scanToken, scanWord, skipSws, whole } from '../terms/index.ts';

/** `token *(COMMA token)`, one at least: Require, Proxy-Require, Unsupported, Content-Encoding. */
export const scanTokens = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanToken);

/** `[token *(COMMA token)]`: Allow, Supported. No element between two commas may be empty. */
export const scanOptionalTokens = (text: string, at: number, end: number): number => {
  const start = skipSws(text, at, end);
  return start === end ? end : scanList(text, start, end, scanToken);
};

/** One token: Priority, SIP-ETag, SIP-If-Match. */
export const scanOneToken = whole((text, at, end) => scanToken(text, skipSws(text, at, end), end));

/** callid = word ["@" word]. */
const scanCallIdPart = (text: string, at: number, end: number): number => {
  const next = scanWord(text, at, end);
  return next >= 0 && next < end && text.charCodeAt(next) === AT ? scanWord(text, next + 1, end) : next;
};

export const scanCallId = whole((text, at, end) => scanCallIdPart(text, skipSws(text, at, end), end));

export const scanInReplyTo = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanCallIdPart);

/** callid *(SEMI parameter): Replaces (RFC 3891), Join (RFC 3911), Target-Dialog (RFC 4538). */
export const scanDialog = whole((text, at, end) => {
  const next = scanCallIdPart(text, skipSws(text, at, end), end);
  return next < 0 ? next : scanParameters(text, next, end);
});

/** token *(SEMI generic-param): Content-Disposition, Subscription-State, Info-Package. */
export const scanTokenParameters = whole((text, at, end) => {
  const next = scanToken(text, skipSws(text, at, end), end);
  return next < 0 ? next : scanParameters(text, next, end);
});

/** Reason (RFC 3326): a protocol with parameters, listed. */
export const scanReasons = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, (inner, from, to) => {
    const next = scanToken(inner, from, to);
    return next < 0 ? next : scanParameters(inner, next, to);
  });

/** event-package *("." event-template): a token whose dots stand alone and between others. */
const scanEventType = (text: string, at: number, end: number): number => {
  const next = scanToken(text, at, end);
  if (next < 0) return next;
  let previous = DOT;
  for (let index = at; index < next; index += 1) {
    const code = text.charCodeAt(index);
    if (code === DOT && previous === DOT) return ~index;
    previous = code;
  }
  return previous === DOT ? ~next : next;
};

/** Event (RFC 6665 8.4). */
export const scanEvent = whole((text, at, end) => {
  const next = scanEventType(text, skipSws(text, at, end), end);
  return next < 0 ? next : scanParameters(text, next, end);
});

/** Allow-Events. */
export const scanEvents = (text: string, at: number, end: number): number =>
  scanList(text, skipSws(text, at, end), end, scanEventType);

/** Privacy (RFC 3323 4.2): tokens between semicolons. */
export const scanPrivacy = whole((text, at, end) => {
  const next = scanToken(text, skipSws(text, at, end), end);
  return next < 0 ? next : scanParameters(text, next, end, scanToken);
});
