import { CLASSES, isEscape, PERCENT, VISIBLE } from '../grammar/index.ts';
import { writeUri, type SipUri, type TelUri, type Uri, type UriPart } from './uri.ts';

const RESERVED = ';/?:@&=+$,';

/** Byte of the escape at `at`. */
const escapedByte = (text: string, at: number): number => Number.parseInt(text.slice(at + 1, at + 3), 16);

/** Replaces each `%` HEXDIG HEXDIG by what `replace` makes of its byte. One pass, nothing is decoded twice. */
const replaceEscapes = (text: string, replace: (byte: number) => string): string => {
  if (!text.includes('%')) return text;
  let replaced = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) === PERCENT && isEscape(text, at, text.length)) {
      replaced += replace(escapedByte(text, at));
      at += 2;
    } else replaced += text[at];
  }
  return replaced;
};

/** The user part with every escape decoded once, bytes as latin1 chars: what a server looks up (RFC 3261 19.1.4). */
export const canonicalUser = (user: string): string => replaceEscapes(user, String.fromCharCode);

/** Escapes that mean the same as the character are decoded, those of reserved ones and controls get upper case. */
const normalEscapes = (text: string): string =>
  replaceEscapes(text, (byte) => {
    const char = String.fromCharCode(byte);
    const isPlain = (CLASSES[byte]! & VISIBLE) !== 0 && byte !== PERCENT && !RESERVED.includes(char);
    return isPlain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });

/** Eight groups in hexadecimal, without leading zeros, of an address that the grammar took. */
const ipv6Groups = (address: string): string => {
  const hex = address.replace(/:?(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = hex.replace(':::', '::').split('::');
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16).toString(16)).join(':');
};

/** Host without case, IPv6 written out (RFC 5954 4.2 compares the addresses, not their texts). */
export const canonicalHost = (host: string): string =>
  host.startsWith('[') ? `[${ipv6Groups(host.slice(1, -1).toLowerCase())}]` : host.toLowerCase();

const canonicalPart = ({ name, value }: UriPart): readonly [string, string | undefined] => [
  normalEscapes(name).toLowerCase(),
  value === undefined ? undefined : normalEscapes(value).toLowerCase(),
];

/** Parameters that tell two URIs apart also when only one has them (RFC 3261 19.1.4; transport as RFC 5626 reads it). */
const TELLING: ReadonlySet<string> = new Set(['transport', 'user', 'ttl', 'method', 'maddr']);

const sortedParts = (parts: readonly UriPart[]): string[] =>
  parts.map((part) => canonicalPart(part).join('=')).toSorted();

/** Fields between NULs, which no part of a URI holds. */
const keyOf = (fields: readonly (string | number)[]): string => fields.join('\0');

const sipKey = (uri: SipUri): string =>
  keyOf([
    uri.scheme,
    uri.user === undefined ? '' : `${normalEscapes(uri.user)}\u0001`,
    uri.password === undefined ? '' : `${normalEscapes(uri.password)}\u0001`,
    canonicalHost(uri.host),
    uri.port ?? '',
    sortedParts(uri.params.filter((part) => TELLING.has(normalEscapes(part.name).toLowerCase()))).join(';'),
    sortedParts(uri.headers).join('&'),
  ]);

const telKey = ({ number, params }: TelUri): string =>
  keyOf(['tel', number.replaceAll(/[-.()]/g, '').toLowerCase(), sortedParts(params).join(';')]);

/**
 * Text that is equal for all URIs that RFC 3261 19.1.4 calls equivalent (RFC 3966 5 for tel). Two URIs of the same key
 * can still differ in a parameter that both have and that only `isSameUri` compares, as that relation is not transitive.
 */
export const uriKey = (uri: Uri): string => {
  if (uri.kind === 'sip') return sipKey(uri);
  return uri.kind === 'tel' ? telKey(uri) : keyOf(['uri', normalEscapes(writeUri(uri))]);
};

const sharedPartsAgree = (left: SipUri, right: SipUri): boolean => {
  const values = new Map(left.params.map(canonicalPart));
  return right.params.map(canonicalPart).every(([name, value]) => !values.has(name) || values.get(name) === value);
};

/** Equivalence of RFC 3261 19.1.4. */
export const isSameUri = (left: Uri, right: Uri): boolean =>
  uriKey(left) === uriKey(right) && (left.kind !== 'sip' || right.kind !== 'sip' || sharedPartsAgree(left, right));
