import type { HeaderName } from '../../message/index.ts';

/**
 * Pieces of POSIX regular expressions over the message as `COMPANION_EXPLOITS` prepares it: unfolded, and with `'`, `"`,
 * `\` and NUL escaped by a backslash each, because Kamailio's matching ends at a NUL, which is legal within quotes and
 * would else hide the rest of a message. Matching knows no case.
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
/** A line with something in it: a blank one ends the headers, so that a body is never read as headers. */
const LINE = '[^\n]*[^\r\n][^\n]*\n';

/** Line ends before the first line do not count (RFC 3261 7.5). */
export const START = '^[\r\n]*';

/** The start line and any headers behind it: what follows is the name of a header. */
export const HEAD = `${START}(${LINE})+`;

/** Line mode of substitutions: names of these headers. */
export const namesOf = (...headers: readonly HeaderName[]): string =>
  `(${headers
    .flatMap((header) => [header, COMPACT[header]])
    .filter((name) => name !== undefined)
    .join('|')})`;

/** A line of one of these headers, up to its value. */
export const lineOf = (...headers: readonly HeaderName[]): string => `${HEAD}${namesOf(...headers)}${BLANKS}:${BLANKS}`;

/** The same header twice. */
export const twice = (header: HeaderName): string => `${lineOf(header)}[^\n]*\n(${LINE})*${namesOf(header)}${BLANKS}:`;

// the escaped text in units: one that is no quote and no backslash, an escaped backslash, an escaped quote
const OTHER = `([^\\\n]|\\\\['0])`;
const BACKSLASH = '\\\\\\\\';
const QUOTE = '\\\\"';
const PAIR = `${BACKSLASH}(${OTHER}|${BACKSLASH}|${QUOTE})`;
const QUOTED = `${QUOTE}(${OTHER}|${PAIR})*${QUOTE}`;

/** What stands outside of quotes, and whole quoted strings. */
const BALANCED = `(${OTHER}|${BACKSLASH}|${QUOTED})*`;

/** A value that ends within a quoted string. */
export const OPEN_QUOTE = `${BALANCED}${QUOTE}(${OTHER}|${PAIR})*\n`;

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

/*
 * Substitutions stand outside of strings, where `\n` is no line end. They work line by line: `^` and `$` are the ends of
 * a line, `.` is no line end, and a CR is a control character before `$`.
 */
const B = '[[:blank:]]*';
const HOST = '([a-z0-9_.-]+|\\[[0-9a-f:.]+\\])';
const VIA_PARAMETER = `${TOKEN}+(${B}=${B}(${TOKEN}+|${HOST}|[0-9a-f:.]+|${QUOTE}([^\\]|\\\\['0]|${BACKSLASH}.|${BACKSLASH}\\\\.)*${QUOTE}))?`;
const VIA_PART = [
  `${TOKEN}+${B}/${B}${TOKEN}+${B}/${B}${TOKEN}+[[:blank:]]+`,
  `${HOST}(${B}:${B}[0-9]+)?(${B};${B}${VIA_PARAMETER})*`,
].join('');

/** A whole line of Via that is as it should be. */
export const VALID_VIA = `^(via|v)${B}:${B}${VIA_PART}(${B},${B}${VIA_PART})*${B}[[:cntrl:]]?$`;

/** As it stands between double quotes in a Kamailio configuration. */
export const quoted = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
