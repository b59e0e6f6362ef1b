/** User and host of a URI, as written: no percent-decoding (the server compares them undecoded), no port, no password. */
export interface UriParts {
  readonly user: string;
  readonly host: string;
}

const NOTHING: UriParts = { user: '', host: '' };

/** Position of the first of these characters at or after `from`, else the length: `:` port, `;` parameters, `?` headers. */
const endOfHost = (text: string, from: number): number => {
  for (let index = from; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === 0x3a || char === 0x3b || char === 0x3f || char === 0x3e || char === 0x20 || char === 0x09)
      return index;
  }
  return text.length;
};

const readHost = (text: string, from: number): string => {
  if (text.charCodeAt(from) !== 0x5b) return text.slice(from, endOfHost(text, from));
  const close = text.indexOf(']', from);
  return text.slice(from + 1, close < 0 ? text.length : close);
};

/** `user:password@host`; characters such as `;` and `?` are legal in a user part (RFC 3261 25.1), so `@` is sought first. */
const readUserHost = (text: string, from: number): UriParts => {
  const at = text.indexOf('@', from);
  if (at < 0) return { user: '', host: readHost(text, from) };
  const colon = text.indexOf(':', from);
  return { user: text.slice(from, colon >= 0 && colon < at ? colon : at), host: readHost(text, at + 1) };
};

const hasScheme = (text: string, scheme: string): boolean =>
  text.charCodeAt(scheme.length) === 0x3a && text.slice(0, scheme.length).toLowerCase() === scheme;

/**
 * Takes a `sip:`, `sips:` or `tel:` URI apart (RFC 3261 19.1, RFC 3966). IPv6 hosts lose their brackets. A bare
 * `user@host` is read as if it were a SIP URI; what is neither gives two empty strings.
 */
export const readUri = (text: string): UriParts => {
  if (hasScheme(text, 'sip')) return readUserHost(text, 4);
  if (hasScheme(text, 'sips')) return readUserHost(text, 5);
  if (hasScheme(text, 'tel')) {
    const end = text.indexOf(';');
    return { user: text.slice(4, end < 0 ? text.length : end), host: '' };
  }
  return text.includes('@') ? readUserHost(text, 0) : NOTHING;
};
