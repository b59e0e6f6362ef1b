import { ALPHA, CLASSES, CLOSE_BRACKET, COLON, DASH, DIGIT, DOT, HEX, HOST, OPEN_BRACKET, skipRun } from './chars.ts';
import { scanDigits } from './words.ts';

const MAX_OCTET_DIGITS = 3;
const MAX_GROUP_DIGITS = 4;
const GROUPS = 8;

/** Four numbers of one to three digits. That each is at most 255 is `isIpv4Within` (RFC 3261 does not say so here). */
export const scanIpv4 = (text: string, at: number, end: number): number => {
  let next = at;
  for (let octet = 0; octet < 4; octet += 1) {
    if (octet > 0) {
      if (next >= end || text.charCodeAt(next) !== DOT) return ~next;
      next += 1;
    }
    const digits = skipRun(text, next, end, DIGIT);
    if (digits === next || digits - next > MAX_OCTET_DIGITS) return ~next;
    next = digits;
  }
  return next;
};

/** True when each number of a scanned IPv4 address is at most 255 (RFC 5954 4.1). */
export const isIpv4Within = (text: string, at: number, end: number): boolean => {
  let octet = 0;
  for (let next = at; next < end; next += 1) {
    const code = text.charCodeAt(next);
    octet = code === DOT ? 0 : octet * 10 + code - 0x30;
    if (octet > 255) return false;
  }
  return true;
};

/**
 * An IPv6 address without brackets, as RFC 5954 corrects RFC 3261: eight groups, or fewer with one `::`, the last two of
 * them possibly as IPv4. Also `:::` before IPv4, which the uncorrected grammar produces (RFC 5118 4.10 asks to take it).
 */
export const scanIpv6 = (text: string, at: number, end: number): number => {
  let next = at;
  let groups = 0;
  let compressed = false;
  for (;;) {
    let mayEnd = false;
    if (next + 1 < end && text.charCodeAt(next) === COLON && text.charCodeAt(next + 1) === COLON) {
      if (compressed) return ~next;
      compressed = true;
      mayEnd = true;
      next += 2;
      if (next < end && text.charCodeAt(next) === COLON && scanIpv4(text, next + 1, end) >= 0) next += 1;
    } else if (groups > 0) {
      if (next >= end || text.charCodeAt(next) !== COLON) break;
      next += 1;
    }
    const hex = skipRun(text, next, end, HEX);
    if (hex === next) {
      if (mayEnd) break;
      return ~next;
    }
    if (hex < end && text.charCodeAt(hex) === DOT) {
      next = scanIpv4(text, next, end);
      if (next < 0) return next;
      groups += 2;
      break;
    }
    if (hex - next > MAX_GROUP_DIGITS) return ~(next + MAX_GROUP_DIGITS);
    groups += 1;
    if (groups > GROUPS) return ~next;
    next = hex;
  }
  return (compressed ? groups < GROUPS : groups === GROUPS) ? next : ~next;
};

/** IPv6reference: the address in brackets. */
export const scanIpv6Reference = (text: string, at: number, end: number): number => {
  if (at >= end || text.charCodeAt(at) !== OPEN_BRACKET) return ~at;
  const next = scanIpv6(text, at + 1, end);
  if (next < 0) return next;
  return next < end && text.charCodeAt(next) === CLOSE_BRACKET ? next + 1 : ~next;
};

/**
 * hostname / IPv4address / IPv6reference. The last label of a name begins with a letter, so that `1.2.3` and
 * `1.2.3.4.5` are nothing; a dot may end a name, but no address.
 */
export const scanHost = (text: string, at: number, end: number): number => {
  if (at >= end) return ~at;
  const first = CLASSES[text.charCodeAt(at)]!;
  if ((first & DIGIT) !== 0) {
    const address = scanIpv4(text, at, end);
    if (address >= 0 && (address >= end || (CLASSES[text.charCodeAt(address)]! & HOST) === 0)) return address;
  } else if ((first & ALPHA) === 0) return scanIpv6Reference(text, at, end);
  let next = at + 1;
  let label = at;
  let last = at;
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & (ALPHA | DIGIT)) !== 0) continue;
    if (code === DOT) {
      if (next === label || text.charCodeAt(next - 1) === DASH) return ~next;
      last = label;
      label = next + 1;
    } else if (code !== DASH) break;
    else if (next === label) return ~next;
  }
  if (text.charCodeAt(next - 1) === DASH) return ~next;
  const top = label === next ? last : label;
  return (CLASSES[text.charCodeAt(top)]! & ALPHA) !== 0 ? next : ~top;
};

/** host [":" port], without white space. A colon needs digits behind it. */
export const scanHostPort = (text: string, at: number, end: number): number => {
  const host = scanHost(text, at, end);
  if (host < 0 || host >= end || text.charCodeAt(host) !== COLON) return host;
  return scanDigits(text, host + 1, end);
};
