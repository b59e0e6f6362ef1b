/** Where user and host of a URI stand; both empty when there is none. No percent-decoding, no port, no password. */
export interface UriSpan {
  readonly userFrom: number;
  readonly userTo: number;
  readonly hostFrom: number;
  readonly hostTo: number;
}

const NOTHING: UriSpan = { userFrom: 0, userTo: 0, hostFrom: 0, hostTo: 0 };

const COLON = 0x3a;
const AT = 0x40;

/** End of the host: `:` port, `;` parameters, `?` headers, `>` or a blank. */
const endOfHost = (bytes: Uint8Array, from: number, to: number): number => {
  for (let at = from; at < to; at += 1) {
    const char = bytes[at]!;
    if (char === COLON || char === 0x3b || char === 0x3f || char === 0x3e || char === 0x20 || char === 0x09) return at;
  }
  return to;
};

const hostAt = (bytes: Uint8Array, userFrom: number, userTo: number, from: number, to: number): UriSpan => {
  if (bytes[from]! !== 0x5b) return { userFrom, userTo, hostFrom: from, hostTo: endOfHost(bytes, from, to) };
  let close = from + 1;
  while (close < to && bytes[close]! !== 0x5d) close += 1;
  return { userFrom, userTo, hostFrom: from + 1, hostTo: close };
};

/** `user:password@host`; characters such as `;` and `?` are legal in a user part (RFC 3261 25.1), so `@` is sought first. */
const userHostAt = (bytes: Uint8Array, from: number, to: number): UriSpan => {
  let colon = -1;
  for (let at = from; at < to; at += 1) {
    const char = bytes[at]!;
    if (char === COLON && colon < 0) colon = at;
    else if (char === AT) return hostAt(bytes, from, colon < 0 ? at : colon, at + 1, to);
  }
  return hostAt(bytes, from, from, from, to);
};

const hasScheme = (bytes: Uint8Array, from: number, to: number, scheme: string): boolean => {
  if (to - from <= scheme.length || bytes[from + scheme.length]! !== COLON) return false;
  for (let at = 0; at < scheme.length; at += 1) {
    if ((bytes[from + at]! | 0x20) !== scheme.charCodeAt(at)) return false;
  }
  return true;
};

const hasAt = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at += 1) if (bytes[at]! === AT) return true;
  return false;
};

/**
 * Takes a `sip:`, `sips:` or `tel:` URI apart (RFC 3261 19.1, RFC 3966). IPv6 hosts lose their brackets. A bare
 * `user@host` is read as if it were a SIP URI; what is neither gives nothing.
 */
export const readUriSpan = (bytes: Uint8Array, start: number, end: number): UriSpan => {
  let from = start;
  let to = end;
  while (from < to && bytes[from]! <= 0x20) from += 1;
  while (to > from && bytes[to - 1]! <= 0x20) to -= 1;
  if (hasScheme(bytes, from, to, 'sip')) return userHostAt(bytes, from + 4, to);
  if (hasScheme(bytes, from, to, 'sips')) return userHostAt(bytes, from + 5, to);
  if (hasScheme(bytes, from, to, 'tel')) {
    let userTo = from + 4;
    while (userTo < to && bytes[userTo]! !== 0x3b) userTo += 1;
    return { userFrom: from + 4, userTo, hostFrom: to, hostTo: to };
  }
  return hasAt(bytes, from, to) ? userHostAt(bytes, from, to) : NOTHING;
};
