import type { HeaderName } from '../../message/index.ts';

/**
 * Pieces of POSIX extended regular expressions over the headers as `COMPANION_PATCHES` prepares them: unfolded, and with
 * `'`, `"`, `\` and NUL escaped by a backslash each, because Kamailio's matching ends at a NUL, which is legal within
 * quotes and would else hide the rest of a message. Matching knows no case.
 */

/** Compact forms of the headers that conditions name (RFC 3261 7.3.3). */
const COMPACT: Readonly<Partial<Record<HeaderName, string>>> = {
  via: 'v',
  from: 'f',
  to: 't',
  'call-id': 'i',
  'content-length': 'l',
};

const BLANKS = '[ \t]*';

/** The start of a header's line, up to its value. */
export const lineOf = (...headers: readonly HeaderName[]): string => {
  const names = headers.flatMap((header) => [header, COMPACT[header]]).filter((name) => name !== undefined);
  return `\n(${names.join('|')})${BLANKS}:${BLANKS}`;
};

// the escaped text in units: one that is no quote and no backslash, an escaped backslash, an escaped quote
const OTHER = `([^\\\r\n]|\\\\['0])`;
const BACKSLASH = '\\\\\\\\';
const QUOTE = '\\\\"';
const PAIR = `${BACKSLASH}(${OTHER}|${BACKSLASH}|${QUOTE})`;
const QUOTED = `${QUOTE}(${OTHER}|${PAIR})*${QUOTE}`;

/** What stands outside of quotes, and whole quoted strings. */
const BALANCED = `(${OTHER}|${BACKSLASH}|${QUOTED})*`;

/** A value that ends within a quoted string. */
export const OPEN_QUOTE = `${BALANCED}${QUOTE}(${OTHER}|${PAIR})*\r?\n`;

const TOKEN = `([a-z0-9.!%*_+\`~-]|\\\\')`;

/** Digest credentials with an open quote, a name without value, or one longer than that. */
export const malformedDigest = (nameBytes: number): readonly string[] => {
  const start = `${lineOf('authorization', 'proxy-authorization')}digest[ \t]`;
  const element = `${start}(${BALANCED},)?${BLANKS}`;
  return [`${start}${OPEN_QUOTE}`, `${element}${TOKEN}+${BLANKS}(,|\r?\n)`, `${element}${TOKEN}{${nameBytes + 1}}`];
};

/** Digits of more than this value, leading zeros not counted. */
export const numberAbove = (value: number): string => {
  const digits = String(value);
  const longer = `[1-9][0-9]{${digits.length}}`;
  const equal = [...digits].flatMap((digit, at) => {
    if (digit === '9') return [];
    const rest = digits.length - at - 1;
    return [`${digits.slice(0, at)}[${Number(digit) + 1}-9]${rest > 0 ? `[0-9]{${rest}}` : ''}`];
  });
  return `0*(${[longer, ...equal].join('|')})`;
};

const HOST = '([a-z0-9_.-]+|\\[[0-9a-f:.]+\\])';
const VIA_PARAMETER = `${TOKEN}+(${BLANKS}=${BLANKS}(${TOKEN}+|${HOST}|[0-9a-f:.]+|${QUOTED}))?`;
const VIA_PART = [
  `${TOKEN}+${BLANKS}/${BLANKS}${TOKEN}+${BLANKS}/${BLANKS}${TOKEN}+[ \t]+`,
  `${HOST}(${BLANKS}:${BLANKS}[0-9]+)?(${BLANKS};${BLANKS}${VIA_PARAMETER})*`,
].join('');

/** A whole line of Via that is as it should be, its line end included. */
export const VALID_VIA = `^(via|v)${BLANKS}:${BLANKS}${VIA_PART}(${BLANKS},${BLANKS}${VIA_PART})*${BLANKS}\r?\n`;

/** As it stands between double quotes in a Kamailio configuration. */
export const quoted = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
