import { headerIdOf } from '../../message/index.ts';
import type { SipMessage } from '../../message/index.ts';
import { endOfQuoted, openQuote } from './quotes.ts';

const CREDENTIALS = [headerIdOf('authorization'), headerIdOf('proxy-authorization')] as const;

const [COMMA, EQUALS, QUOTE] = [0x2c, 0x3d, 0x22];

/** Longest token of which the payload is read; those in use have 1 to 4 KB. */
const MAX_TOKEN_CHARS = 16_384;

const isLws = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

const skipLws = (text: string, from: number, end: number): number => {
  let at = from;
  while (at < end && isLws(text.charCodeAt(at))) at += 1;
  return at;
};

/** Offset behind the scheme when it is this one, or -1. */
const behindScheme = (message: SipMessage, line: number, scheme: string): number => {
  const from = message.valueStart(line);
  const end = from + scheme.length;
  if (end >= message.valueEnd(line) || !isLws(message.text.charCodeAt(end))) return -1;
  return message.text.slice(from, end).toLowerCase() === scheme ? end : -1;
};

/** Calls `look` with each line of credentials of that scheme; the first offset that it finds, or -1. */
const inCredentials = (
  message: SipMessage,
  scheme: string,
  look: (message: SipMessage, from: number, end: number) => number,
): number => {
  for (const id of CREDENTIALS) {
    for (let line = message.first(id); line >= 0; line = message.first(id, line + 1)) {
      const from = behindScheme(message, line, scheme);
      const found = from < 0 ? -1 : look(message, from, message.valueEnd(line));
      if (found >= 0) return found;
    }
  }
  return -1;
};

/** Each element must be `name = value`; empty elements are tolerated, as phones end lists with a comma. */
const malformedParameter = ({ bytes, text }: SipMessage, from: number, end: number, nameBytes: number): number => {
  const open = openQuote(text, from, end);
  if (open >= 0) return open;
  let at = from;
  while (at < end) {
    while (at < end && isLws(bytes[at]!)) at += 1;
    const name = at;
    let equals = -1;
    for (; at < end; at += 1) {
      const char = bytes[at]!;
      if (char === COMMA) break;
      // every string is closed: the loop goes on behind its last quote
      if (char === QUOTE) at = endOfQuoted(bytes, at, end) - 1;
      else if (char === EQUALS && equals < 0) equals = at;
    }
    const nameEnd = equals < 0 ? at : equals;
    if (nameEnd - name > nameBytes || (equals < 0 && at > name)) return name;
    at += 1;
  }
  return -1;
};

/** CVE-2023-28098: OpenSIPS read past such parameters. */
export const malformedDigest = (message: SipMessage, nameBytes: number): number =>
  inCredentials(message, 'digest', (whole, from, end) => malformedParameter(whole, from, end, nameBytes));

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /['"\\\u0000-\u001f]/;

/** The second part of a compact token, as an object; undefined when it is none. */
const payloadOf = (token: string): object | undefined => {
  const [, payload] = token.split('.', 3);
  if (payload === undefined || payload === '') return undefined;
  try {
    // jansson, which reads it in OpenSIPS, lets the last of two equal names win too
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

/** CVE-2026-25554: OpenSIPS puts the claim of a token whose signature it has not looked at into a query. */
export const claimWithQuotes = (message: SipMessage, claim: string): number =>
  inCredentials(message, 'bearer', ({ text }, from, end) => {
    const token = text.slice(skipLws(text, from, end), end);
    if (token.length > MAX_TOKEN_CHARS) return from;
    const value = (payloadOf(token) as Readonly<Record<string, unknown>> | undefined)?.[claim];
    return typeof value === 'string' && UNSAFE.test(value) ? from : -1;
  });
