import { MAX_METHOD_CHARS } from './limits.ts';
import type { StartLine } from './message.ts';

/** `SIP/999.999`: versions that a server refuses itself are still SIP. */
const MAX_VERSION_CHARS = 11;

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** End of `SIP/` digits `.` digits at `from`, whatever its case (RFC 3261 7.1), or -1. */
const endOfVersion = (bytes: Uint8Array, from: number, end: number): number => {
  if (end - from < 7 || (bytes[from]! | 0x20) !== 0x73 || (bytes[from + 1]! | 0x20) !== 0x69) return -1;
  if ((bytes[from + 2]! | 0x20) !== 0x70 || bytes[from + 3]! !== 0x2f) return -1;
  let at = from + 4;
  const major = at;
  while (at < end && at - major < 3 && isDigit(bytes[at]!)) at += 1;
  if (at === major || bytes[at]! !== 0x2e) return -1;
  at += 1;
  const minor = at;
  while (at < end && at - minor < 3 && isDigit(bytes[at]!)) at += 1;
  return at === minor ? -1 : at;
};

/** Methods in use by length and first letter, so that each message does not make a string of its own. */
const USUAL: (string | undefined)[] = Array.from({ length: 512 }, () => undefined);
const placeOf = (length: number, first: number): number => ((length & 15) << 5) | (first & 31);
for (const method of [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'MESSAGE',
  'INFO',
  'PRACK',
  'UPDATE',
  'REFER',
])
  // prettier-ignore
  USUAL[placeOf(method.length, method.charCodeAt(0))] = method;

const methodAt = (bytes: Uint8Array, text: string, from: number, to: number): string => {
  const usual = USUAL[placeOf(to - from, bytes[from]!)];
  if (usual !== undefined && usual.length === to - from && text.startsWith(usual, from)) return usual;
  return text.slice(from, Math.min(to, from + MAX_METHOD_CHARS));
};

const readReply = (
  bytes: Uint8Array,
  text: string,
  from: number,
  to: number,
  versionEnd: number,
): StartLine | undefined => {
  let at = versionEnd;
  while (at < to && isBlank(bytes[at]!)) at += 1;
  if (at === versionEnd) return undefined;
  let digits = at;
  while (digits < to && digits - at < 4 && isDigit(bytes[digits]!)) digits += 1;
  const three = digits - at === 3 && (digits === to || isBlank(bytes[digits]!));
  const status = three ? Number(text.slice(at, digits)) : 0;
  return { kind: 'reply', from, to, status, version: { from, to: versionEnd } };
};

/**
 * Reads `METHOD uri SIP/2.0` or `SIP/2.0 200 OK` between two offsets. Blanks in and around the URI are tolerated: what is
 * invalid is for the validator to say and for the server to refuse.
 */
export const readStartLine = (bytes: Uint8Array, text: string, from: number, to: number): StartLine | undefined => {
  const versionEnd = endOfVersion(bytes, from, to);
  if (versionEnd > 0) return readReply(bytes, text, from, to, versionEnd);
  // no token is asked for: servers take anything as a method up to the first blank
  let methodEnd = from;
  while (methodEnd < to && !isBlank(bytes[methodEnd]!)) methodEnd += 1;
  if (methodEnd === from || methodEnd === to) return undefined;
  let end = to;
  while (end > methodEnd && isBlank(bytes[end - 1]!)) end -= 1;
  let version = end;
  while (version > methodEnd && end - version <= MAX_VERSION_CHARS && !isBlank(bytes[version - 1]!)) version -= 1;
  if (endOfVersion(bytes, version, end) !== end) return undefined;
  let uri = methodEnd;
  while (uri < version && isBlank(bytes[uri]!)) uri += 1;
  let uriEnd = version;
  while (uriEnd > uri && isBlank(bytes[uriEnd - 1]!)) uriEnd -= 1;
  if (uriEnd === uri) return undefined;
  return {
    kind: 'request',
    from,
    to,
    method: methodAt(bytes, text, from, methodEnd),
    uri: { from: uri, to: uriEnd },
    version: { from: version, to: end },
  };
};
