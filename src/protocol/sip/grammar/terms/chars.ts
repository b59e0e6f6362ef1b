/**
 * Classes of RFC 3261 25.1, one bit each, so that a run of characters costs one table look-up a character. `%` is in no
 * class of the URIs: there it must begin an escape, which is looked at by itself.
 */
export const TOKEN = 0x0001;
/** `word`, of which Call-IDs are made: token characters and most separators. */
export const WORD = 0x0002;
/** unreserved / user-unreserved. */
export const USER = 0x0004;
/** USER without `;`, `?` and `,`: what a URI may hold that stands without angle brackets (RFC 3261 20). */
export const BARE_USER = 0x0008;
export const PASSWORD = 0x0010;
/** paramchar of URI parameters. */
export const PARAM = 0x0020;
/** hnv-unreserved / unreserved: headers inside of a URI. */
export const HNV = 0x0040;
/** reserved / unreserved. */
export const URIC = 0x0080;
/** Letters, digits, `.` and `-`. */
export const HOST = 0x0100;
export const DIGIT = 0x0200;
export const ALPHA = 0x0400;
export const HEX = 0x0800;
/** qdtext of one byte, with SP and HTAB. */
export const QDTEXT = 0x1000;
/** ctext of one byte, with SP and HTAB. */
export const CTEXT = 0x2000;
/** %x21-7E. */
export const VISIBLE = 0x4000;
/** SP / HTAB. */
export const BLANK = 0x8000;

export const CR = 0x0d;
export const LF = 0x0a;
export const SP = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const AMPERSAND = 0x26;
export const OPEN_PAREN = 0x28;
export const CLOSE_PAREN = 0x29;
export const STAR = 0x2a;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMI = 0x3b;
export const LESS = 0x3c;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const QUESTION = 0x3f;
export const AT = 0x40;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const ALPHANUM = LETTERS + DIGITS;
const TOKEN_MARKS = "-.!%*_+`'~";
const UNRESERVED = `${ALPHANUM}-_.!~*'()`;

const range = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index)).join('');

const without = (text: string, unwanted: string): string =>
  [...text].filter((char) => !unwanted.includes(char)).join('');

const MEMBERS: readonly (readonly [number, string])[] = [
  [TOKEN, ALPHANUM + TOKEN_MARKS],
  [WORD, `${ALPHANUM}${TOKEN_MARKS}()<>:\\"/[]?{}`],
  [USER, `${UNRESERVED}&=+$,;?/`],
  [BARE_USER, `${UNRESERVED}&=+$/`],
  [PASSWORD, `${UNRESERVED}&=+$,`],
  [PARAM, `${UNRESERVED}[]/:&+$`],
  [HNV, `${UNRESERVED}[]/?:+$`],
  [URIC, `${UNRESERVED};/?:@&=+$,`],
  [HOST, `${ALPHANUM}.-`],
  [DIGIT, DIGITS],
  [ALPHA, LETTERS],
  [HEX, `${DIGITS}ABCDEFabcdef`],
  [QDTEXT, `\t ${without(range(0x21, 0x7e), '"\\')}`],
  [CTEXT, `\t ${without(range(0x21, 0x7e), '()\\')}`],
  [VISIBLE, range(0x21, 0x7e)],
  [BLANK, ' \t'],
];

/** Bits by byte. Characters above 0xff are in no class, as an element outside of the table is `undefined`. */
export const CLASSES: Uint16Array = new Uint16Array(256);
for (const [bit, members] of MEMBERS) {
  for (const char of members) CLASSES[char.charCodeAt(0)]! |= bit;
}

/** Position behind the run of characters of `charClass` (one or more bits) that starts at `at`; `at` when there is none. */
export const skipRun = (text: string, at: number, end: number, charClass: number): number => {
  let next = at;
  while (next < end && (CLASSES[text.charCodeAt(next)]! & charClass) !== 0) next += 1;
  return next;
};

/** True when two hexadecimal digits follow the `%` at `at`. */
export const isEscape = (text: string, at: number, end: number): boolean =>
  at + 2 < end && (CLASSES[text.charCodeAt(at + 1)]! & HEX) !== 0 && (CLASSES[text.charCodeAt(at + 2)]! & HEX) !== 0;

/** As `skipRun`, with `%` HEXDIG HEXDIG as a member of the class. Stops at a `%` that begins no escape. */
export const skipEscaped = (text: string, at: number, end: number, charClass: number): number => {
  let next = at;
  while (next < end) {
    const code = text.charCodeAt(next);
    if ((CLASSES[code]! & charClass) !== 0) next += 1;
    else if (code === PERCENT && isEscape(text, next, end)) next += 3;
    else break;
  }
  return next;
};
