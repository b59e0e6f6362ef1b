import {
  COLON,
  COMMA,
  scanDigits,
  scanHost,
  scanIpv6,
  scanLws,
  scanParameter,
  scanParameters,
  scanSeparator,
  scanToken,
  skipEquals,
  skipSws,
  SLASH,
} from '../terms/index.ts';

/** protocol-name SLASH protocol-version SLASH transport. */
const scanSentProtocol = (text: string, at: number, end: number): number => {
  let next = scanToken(text, at, end);
  if (next >= 0) next = scanSeparator(text, next, end, SLASH);
  if (next >= 0) next = scanToken(text, next, end);
  if (next >= 0) next = scanSeparator(text, next, end, SLASH);
  return next < 0 ? next : scanToken(text, next, end);
};

/** host [COLON port], with white space around the colon, other than in a URI. */
const scanSentBy = (text: string, at: number, end: number): number => {
  const host = scanHost(text, at, end);
  if (host < 0) return host;
  const colon = skipSws(text, host, end);
  return colon < end && text.charCodeAt(colon) === COLON ? scanDigits(text, skipSws(text, colon + 1, end), end) : host;
};

/** `received` holds an IPv6 address without brackets (RFC 3261 25.1), or with them (RFC 5118 4.5). */
const scanReceived = (text: string, at: number, end: number): number => {
  const name = scanToken(text, at, end);
  if (name - at !== 8 || text.slice(at, name).toLowerCase() !== 'received') return ~at;
  const value = skipEquals(text, name, end);
  return value === name ? ~name : scanIpv6(text, value, end);
};

/** All named parameters (ttl, maddr, received, branch, RFC 3581 rport) are generic ones too, but for bare IPv6. */
const scanViaParameter = (text: string, at: number, end: number): number => {
  const next = scanParameter(text, at, end);
  const stop = next < 0 ? ~next : next;
  if (stop >= end || text.charCodeAt(stop) !== COLON) return next;
  const received = scanReceived(text, at, end);
  return received < 0 ? next : received;
};

/** sent-protocol LWS sent-by *(SEMI via-params). */
export const scanViaPart = (text: string, at: number, end: number): number => {
  let next = scanSentProtocol(text, at, end);
  if (next >= 0) next = scanLws(text, next, end);
  if (next >= 0) next = scanSentBy(text, next, end);
  return next < 0 ? next : scanParameters(text, next, end, scanViaParameter);
};

/** Value of Via: one or more parts, to the last character. */
export const scanVia = (text: string, at: number, end: number): number => {
  let next = scanViaPart(text, skipSws(text, at, end), end);
  while (next >= 0 && next < end) {
    next = scanSeparator(text, next, end, COMMA);
    if (next >= 0) next = scanViaPart(text, next, end);
  }
  return next;
};
