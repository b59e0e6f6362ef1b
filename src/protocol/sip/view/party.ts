import { endOfQuoted, nameCodes, readParameter, unquote } from './parameter.ts';
import { readUriSpan } from './uri.ts';
import type { UriSpan } from './uri.ts';

/** A From or To value taken apart: texts that had to be made, offsets of what stands there as it is. */
export interface PartySpan {
  readonly display: string;
  readonly uri: UriSpan;
  readonly tag: string;
}

const TAG = nameCodes('tag');

const LESS = 0x3c;
const GREATER = 0x3e;
const SEMICOLON = 0x3b;

const seek = (bytes: Uint8Array, code: number, from: number, to: number): number => {
  for (let at = from; at < to; at += 1) if (bytes[at] === code) return at;
  return -1;
};

/**
 * Takes a From or To value apart (RFC 3261 20.10, 20.20): `"Name" <uri>;tag=x`, `Name <uri>;tag=x` or `uri;tag=x`,
 * where in the last form everything behind the first `;` belongs to the header, not to the URI.
 */
export const readParty = (bytes: Uint8Array, text: string, start: number, end: number): PartySpan => {
  let display = '';
  let from = start;
  if (bytes[start] === 0x22 && start < end) {
    from = endOfQuoted(bytes, start, end);
    display = unquote(text.slice(start, from));
  }
  const open = seek(bytes, LESS, from, end);
  if (open < 0) {
    const semicolon = seek(bytes, SEMICOLON, from, end);
    if (semicolon < 0) return { display, uri: readUriSpan(bytes, from, end), tag: '' };
    const tag = readParameter(bytes, text, TAG, semicolon + 1, end, ';', 'last');
    return { display, uri: readUriSpan(bytes, from, semicolon), tag };
  }
  if (display === '') display = text.slice(start, open).trim();
  const close = seek(bytes, GREATER, open, end);
  if (close < 0) return { display, uri: readUriSpan(bytes, open + 1, end), tag: '' };
  const tag = readParameter(bytes, text, TAG, close + 1, end, ';', 'last');
  return { display, uri: readUriSpan(bytes, open + 1, close), tag };
};
