/**
 * The header names that a rule, a value reader or the view asks for, lower case, with their compact forms (RFC 3261
 * 7.3.3 and the IANA registry). The index of a name in this list is its id; id 0 is any other name.
 */
const KNOWN = [
  '',
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'max-forwards',
  'content-length',
  'content-type',
  'user-agent',
  'authorization',
  'proxy-authorization',
  'route',
  'record-route',
  'expires',
  'require',
  'proxy-require',
  'supported',
  'allow',
  'server',
  'www-authenticate',
  'proxy-authenticate',
  'content-encoding',
  'subject',
  'event',
  'refer-to',
  'referred-by',
  'allow-events',
  'session-expires',
  'identity',
  'accept-contact',
  'reject-contact',
  'request-disposition',
  'accept',
  'accept-encoding',
  'accept-language',
  'alert-info',
  'authentication-info',
  'call-info',
  'content-disposition',
  'content-language',
  'date',
  'error-info',
  'in-reply-to',
  'mime-version',
  'min-expires',
  'min-se',
  'organization',
  'p-asserted-identity',
  'p-preferred-identity',
  'path',
  'priority',
  'privacy',
  'rack',
  'reason',
  'replaces',
  'reply-to',
  'retry-after',
  'rseq',
  'service-route',
  'subscription-state',
  'timestamp',
  'unsupported',
  'warning',
] as const;

export type HeaderName = Exclude<(typeof KNOWN)[number], ''>;

/** Compact forms: RFC 3261 7.3.3, 3515 r, 3841 a d j, 3892 b, 4028 x, 6665 o u, 8224 y. */
const COMPACT: Readonly<Record<string, HeaderName>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

/** Id of a header that has no name in the list. */
export const OTHER_HEADER = 0;

const IDS: ReadonlyMap<string, number> = new Map(KNOWN.map((name, id) => [name, id]));

/** Id of a known header, for `SipMessage.first` and the like. */
export const headerIdOf = (name: HeaderName): number => IDS.get(name) ?? OTHER_HEADER;

/** Every known name. */
export const HEADER_NAMES: readonly HeaderName[] = KNOWN.filter((name) => name !== '');

/** Canonical lower-case name of an id; empty for `OTHER_HEADER`. */
export const headerNameOf = (id: number): string => KNOWN[id] ?? '';

/** Ids of headers of which a message may hold one line with one value (RFC 3261 table 2 and 7.3.1). */
export const SINGLETONS: ReadonlySet<number> = new Set(
  (
    [
      'from',
      'to',
      'call-id',
      'cseq',
      'max-forwards',
      'content-length',
      'content-type',
      'expires',
      'user-agent',
      'server',
      'date',
      'mime-version',
      'min-expires',
      'organization',
      'priority',
      'subject',
      'timestamp',
      'retry-after',
      'reply-to',
      'content-disposition',
      'event',
      'refer-to',
      'session-expires',
      'min-se',
      'rack',
      'rseq',
      'subscription-state',
    ] as const
  ).map(headerIdOf),
);

/** 0 for what no token may hold (RFC 3261 25.1), else the character's lower-case code. */
const TOKEN_LOWER = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~") {
  TOKEN_LOWER[char.charCodeAt(0)] = char.charCodeAt(0);
  TOKEN_LOWER[char.toUpperCase().charCodeAt(0)] = char.charCodeAt(0);
}

const LONGEST = Math.max(...KNOWN.map(({ length }) => length));

/** Names by length and first letter: hardly ever more than one, so that a header costs one comparison. */
const bucketOf = (length: number, first: number): number => length * 32 + (first & 0x1f);

/**
 * All names that are known in numbered places, from 1 on, as plain numbers: arrays of objects cost as much again as the
 * comparison itself. Of each place the name's bytes, its id, and the next place of the same bucket.
 */
const NAMES: readonly (readonly [name: string, id: number])[] = [
  ...KNOWN.flatMap((name, id) => (name === '' ? [] : [[name, id] as const])),
  ...Object.entries(COMPACT).map(([letter, name]) => [letter, headerIdOf(name)] as const),
];
const CODES = new Uint8Array((NAMES.length + 1) * LONGEST);
const ID_AT = new Uint8Array(NAMES.length + 1);
const NEXT = new Uint8Array(NAMES.length + 1);
const FIRST = new Uint8Array(bucketOf(LONGEST + 1, 0));
for (const [index, [name, id]] of NAMES.entries()) {
  const place = index + 1;
  const bucket = bucketOf(name.length, name.charCodeAt(0));
  CODES.set(Buffer.from(name), place * LONGEST);
  ID_AT[place] = id;
  NEXT[place] = FIRST[bucket]!;
  FIRST[bucket] = place;
}

/**
 * Id of the name at `from` … `to`, in any case and compact or not; a known name is a valid token by itself. Reads bytes:
 * twice as fast as characters of a text.
 */
export const headerIdAt = (bytes: Uint8Array, from: number, to: number): number => {
  const length = to - from;
  if (length > LONGEST || length < 1) return OTHER_HEADER;
  for (let place = FIRST[bucketOf(length, bytes[from]!)]!; place !== 0; place = NEXT[place]!) {
    const codes = place * LONGEST;
    let same = 0;
    while (same < length && TOKEN_LOWER[bytes[from + same]!] === CODES[codes + same]) same += 1;
    if (same === length) return ID_AT[place]!;
  }
  return OTHER_HEADER;
};

/** True for one or more token characters. */
export const isToken = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at += 1) if (TOKEN_LOWER[bytes[at]!] === 0) return false;
  return to > from;
};
