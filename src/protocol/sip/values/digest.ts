import {
  COMMA,
  isEscape,
  scanCredentials,
  scanLws,
  scanSeparator,
  scanToken,
  scanTrimmedText,
  skipSws,
} from '../grammar/index.ts';
import { faultAt, faultOf, type ValueFault } from './fault.ts';
import { cutParameter, type Parameter } from './parameters.ts';

/** More than any scheme defines; Kamailio and OpenSIPS read a dozen. */
export const MAX_DIGEST_PARAMETERS = 64;

/** Credentials or a challenge of a scheme other than Digest: nothing in it is taken apart. */
export interface OtherScheme {
  readonly scheme: string;
  /** What stands behind the scheme, line folds as blanks. */
  readonly raw: string;
}

/** RFC 7616 3.3, RFC 8760 2. */
export const DIGEST_ALGORITHMS = [
  'MD5',
  'MD5-sess',
  'SHA-256',
  'SHA-256-sess',
  'SHA-512-256',
  'SHA-512-256-sess',
] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** The algorithm by its name in any case; MD5 when there is no name (RFC 7616 3.3); undefined for an unknown one. */
export const digestAlgorithm = (name: string | undefined): DigestAlgorithm | undefined =>
  name === undefined ? 'MD5' : DIGEST_ALGORITHMS.find((known) => known.toLowerCase() === name.toLowerCase());

/** Parameters by name in lower case, in the order in which they stood. */
export type DigestFields = ReadonlyMap<string, Parameter>;

/** `auth-param *(COMMA auth-param)` of a range that `scanCredentials` took; the same name twice is a fault. */
const cutFields = (text: string, at: number, end: number): DigestFields | ValueFault => {
  const fields = new Map<string, Parameter>();
  let next = at;
  for (;;) {
    const [parameter, after] = cutParameter(text, next, end);
    const name = parameter.name.toLowerCase();
    if (fields.has(name)) return faultAt('a parameter comes twice', next);
    if (fields.size === MAX_DIGEST_PARAMETERS) return faultAt('too many parameters', next);
    fields.set(name, parameter);
    next = scanSeparator(text, after, end, COMMA);
    if (next < 0) return fields;
  }
};

/** The fields of Digest, or another scheme as it is. */
export const readScheme = (text: string, from: number, to: number): DigestFields | OtherScheme | ValueFault => {
  const start = skipSws(text, from, to);
  const schemeEnd = scanToken(text, start, to);
  if (schemeEnd < 0) return faultOf('no scheme', schemeEnd);
  const scheme = text.slice(start, schemeEnd);
  if (scheme.toLowerCase() === 'digest') {
    const scanned = scanCredentials(text, start, to);
    return scanned === to ? cutFields(text, scanLws(text, schemeEnd, to), to) : faultOf('not a parameter', scanned);
  }
  const rawAt = skipSws(text, schemeEnd, to);
  if (rawAt === schemeEnd && schemeEnd < to) return faultAt('no blank behind the scheme', schemeEnd);
  const scanned = scanTrimmedText(text, rawAt, to);
  if (scanned !== to) return faultOf('not a text', scanned);
  return { scheme, raw: text.slice(rawAt, to).split(/\r?\n/).join(' ') };
};

export const isOtherScheme = (read: unknown): read is OtherScheme =>
  typeof read === 'object' && read !== null && 'raw' in read;

export const writeOtherScheme = ({ scheme, raw }: OtherScheme): string => (raw === '' ? scheme : `${scheme} ${raw}`);

export const quotedField = (name: string, value: string | undefined): Parameter[] =>
  value === undefined ? [] : [{ name, value, quoted: true }];

export const tokenField = (name: string, value: string | undefined): Parameter[] =>
  value === undefined ? [] : [{ name, value, quoted: false }];

/** Parameters that the reader of a scheme does not know, in their order. */
export const othersOf = (fields: DigestFields, known: ReadonlySet<string>): Parameter[] =>
  [...fields].filter(([name]) => !known.has(name)).map(([, parameter]) => parameter);

/** `true` in any case; anything else is no (RFC 7616 3.3). */
export const isTrue = (parameter: Parameter | undefined): boolean | undefined =>
  parameter === undefined ? undefined : parameter.value?.toLowerCase() === 'true';

const EXTENDED = /^utf-8'[A-Za-z0-9-]*'/i;
const LONGEST_PREFIX_CHARS = 64;

/**
 * Value of `username*` (RFC 5987 3.2, UTF-8 alone as RFC 7616 3.4 has it), decoded: `UTF-8''J%C3%A4s` is `Jäs`.
 * @returns undefined for another character set or bytes that are no UTF-8
 */
export const decodeExtended = (value: string): string | undefined => {
  const prefix = EXTENDED.exec(value.slice(0, LONGEST_PREFIX_CHARS))?.[0];
  if (prefix === undefined) return undefined;
  for (let at = prefix.length; at < value.length; at += 1) {
    if (value[at] === '%' && !isEscape(value, at, value.length)) return undefined;
  }
  try {
    return decodeURIComponent(value.slice(prefix.length));
  } catch {
    return undefined;
  }
};
