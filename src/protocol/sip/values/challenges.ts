import { COMMA, EQUALS, scanQuoted, scanToken, skipSws, QUOTE, SP } from '../grammar/index.ts';
import {
  isOtherScheme,
  isTrue,
  othersOf,
  quotedField,
  readScheme,
  tokenField,
  writeOtherScheme,
  type DigestFields,
  type OtherScheme,
} from './digest.ts';
import { faultAt, isValueFault, type ValueFault } from './fault.ts';
import { writeParameters, type Parameter } from './parameters.ts';

/** One for each algorithm and realm (RFC 8760 2.3) is far below it. */
export const MAX_CHALLENGES = 32;

/** WWW-Authenticate and Proxy-Authenticate of scheme Digest (RFC 7616 3.3). */
export interface DigestChallenge {
  readonly scheme: 'Digest';
  readonly realm: string;
  readonly nonce: string;
  /** URIs with blanks in between, as written. */
  readonly domain: string | undefined;
  readonly opaque: string | undefined;
  readonly stale: boolean | undefined;
  readonly algorithm: string | undefined;
  /** Offered qualities of protection, in their order; undefined in a challenge of RFC 2069. */
  readonly qop: readonly string[] | undefined;
  readonly charset: string | undefined;
  readonly userhash: boolean | undefined;
  readonly others: readonly Parameter[];
}

const KNOWN: ReadonlySet<string> = new Set([
  'realm',
  'nonce',
  'domain',
  'opaque',
  'stale',
  'algorithm',
  'qop',
  'charset',
  'userhash',
]);

const toChallenge = (fields: DigestFields, from: number): DigestChallenge | ValueFault => {
  const valueOf = (name: string): string | undefined => fields.get(name)?.value;
  const realm = valueOf('realm');
  const nonce = valueOf('nonce');
  if (realm === undefined) return faultAt('no realm', from);
  if (nonce === undefined) return faultAt('no nonce', from);
  const qop = valueOf('qop')
    ?.split(',')
    .map((option) => option.trim());
  if (qop?.some((option) => scanToken(option, 0, option.length) !== option.length)) return faultAt('bad qop', from);
  return {
    scheme: 'Digest',
    realm,
    nonce,
    domain: valueOf('domain'),
    opaque: valueOf('opaque'),
    stale: isTrue(fields.get('stale')),
    algorithm: valueOf('algorithm'),
    qop,
    charset: valueOf('charset'),
    userhash: isTrue(fields.get('userhash')),
    others: othersOf(fields, KNOWN),
  };
};

/** Behind the next comma outside of quotes, or `end`. */
const skipElement = (text: string, at: number, end: number): number => {
  let next = at;
  while (next < end) {
    const code = text.charCodeAt(next);
    if (code === COMMA) return next + 1;
    if (code === QUOTE) {
      const quoted = scanQuoted(text, next, end);
      next = quoted < 0 ? end : quoted;
    } else next += 1;
  }
  return end;
};

/** True when a scheme begins at `at`: a token with white space and something other than `=` or `,` behind it. */
const beginsScheme = (text: string, at: number, end: number): boolean => {
  const token = scanToken(text, at, end);
  if (token < 0) return false;
  const next = skipSws(text, token, end);
  return next > token && next < end && text.charCodeAt(next) !== EQUALS && text.charCodeAt(next) !== COMMA;
};

/** The ranges of several challenges in one value (HTTP allows it, RFC 3261 7.3.1 does not), without commas in between. */
const rangesOf = (text: string, from: number, to: number): readonly (readonly [number, number])[] => {
  const starts: number[] = [];
  const ends: number[] = [];
  let element = from;
  while (element < to) {
    const start = skipSws(text, element, to);
    if (starts.length === 0 || beginsScheme(text, start, to)) {
      if (starts.length > 0) ends.push(element - 1);
      starts.push(start);
      if (starts.length > MAX_CHALLENGES) break;
    }
    element = skipElement(text, start, to);
  }
  return starts.map((start, index) => [start, ends[index] ?? to] as const);
};

/** End of the range without the white space before a comma. */
const trimEnd = (text: string, from: number, to: number): number => {
  let end = to;
  while (end > from && text.charCodeAt(end - 1) <= SP) end -= 1;
  return end;
};

/** All challenges of one header line, in order of preference. A repeated or missing parameter of Digest is a fault. */
export const readChallenges = (
  text: string,
  from = 0,
  to = text.length,
): readonly (DigestChallenge | OtherScheme)[] | ValueFault => {
  const ranges = rangesOf(text, from, to);
  if (ranges.length === 0) return faultAt('no challenge', from);
  if (ranges.length > MAX_CHALLENGES) return faultAt('too many challenges', from);
  const challenges: (DigestChallenge | OtherScheme)[] = [];
  for (const [index, [start, end]] of ranges.entries()) {
    const read = readScheme(text, start, index === ranges.length - 1 ? end : trimEnd(text, start, end));
    const challenge = isValueFault(read) || isOtherScheme(read) ? read : toChallenge(read, start);
    if (isValueFault(challenge)) return challenge;
    challenges.push(challenge);
  }
  return challenges;
};

const writeChallenge = (challenge: DigestChallenge | OtherScheme): string => {
  if (isOtherScheme(challenge)) return writeOtherScheme(challenge);
  const { stale, userhash } = challenge;
  const fields = [
    ...quotedField('realm', challenge.realm),
    ...quotedField('domain', challenge.domain),
    ...quotedField('nonce', challenge.nonce),
    ...quotedField('opaque', challenge.opaque),
    ...tokenField('stale', stale === undefined ? undefined : String(stale)),
    ...tokenField('algorithm', challenge.algorithm),
    ...quotedField('qop', challenge.qop?.join(',')),
    ...tokenField('charset', challenge.charset),
    ...tokenField('userhash', userhash === undefined ? undefined : String(userhash)),
    ...challenge.others,
  ];
  return `Digest ${writeParameters(fields, ', ').slice(2)}`;
};

export const writeChallenges = (challenges: readonly (DigestChallenge | OtherScheme)[]): string =>
  challenges.map(writeChallenge).join(', ');
