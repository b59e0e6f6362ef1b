import {
  CLASSES,
  COLON,
  COMMA,
  DIGIT,
  DOT,
  EQUALS,
  scanDigits,
  scanHost,
  scanIpv6,
  scanLws,
  scanParameter,
  scanParameters,
  scanSeparator,
  scanToken,
  SEMI,
  skipEquals,
  skipSws,
  SLASH,
  SP,
  TOKEN,
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

const PROTOCOL = Buffer.from('SIP/2.0/UDP ');
/** Where its three letters of the transport begin: UDP, TCP and TLS, and others of that length. */
const TRANSPORT_AT = 8;

const endOfRun = (bytes: Uint8Array, from: number, end: number, wanted: number): number => {
  let at = from;
  while (at < end && (CLASSES[bytes[at]!]! & wanted) !== 0) at += 1;
  return at;
};

/** End of a dotted IPv4 address, or -1. */
const endOfAddress = (bytes: Uint8Array, from: number, end: number): number => {
  let at = from;
  for (let octet = 0; octet < 4; octet += 1) {
    if (octet > 0 && (at >= end || bytes[at++]! !== DOT)) return -1;
    let value = 0;
    const start = at;
    for (; at < end && at - start < 3; at += 1) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === start || value > 255) return -1;
  }
  return at;
};

/**
 * True only of what `scanVia` takes as a whole, and of nearly every Via that a phone sends: one hop, an IPv4 address, plain
 * parameters. Reads bytes, once: the scanner takes six times as long.
 */
export const isPlainVia = (bytes: Uint8Array, from: number, end: number): boolean => {
  const host = from + PROTOCOL.length;
  if (host >= end || bytes[host - 1] !== SP) return false;
  for (let at = 0; at < TRANSPORT_AT; at += 1) if (bytes[from + at] !== PROTOCOL[at]) return false;
  if (endOfRun(bytes, from + TRANSPORT_AT, host - 1, TOKEN) !== host - 1) return false;
  let at = endOfAddress(bytes, host, end);
  if (at < 0) return false;
  if (at < end && bytes[at] === COLON) {
    const port = at + 1;
    at = endOfRun(bytes, port, end, DIGIT);
    if (at === port || at - port > 5) return false;
  }
  while (at < end) {
    if (bytes[at] !== SEMI) return false;
    const name = at + 1;
    at = endOfRun(bytes, name, end, TOKEN);
    if (at === name) return false;
    if (at === end || bytes[at] !== EQUALS) continue;
    const value = at + 1;
    at = endOfRun(bytes, value, end, TOKEN);
    if (at === value) return false;
  }
  return true;
};
