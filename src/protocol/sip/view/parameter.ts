const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;

/** Position after the closing quote of the quoted string that opens at `open`, or `end` when it never closes. */
export const endOfQuoted = (bytes: Uint8Array, open: number, end: number): number => {
  for (let at = open + 1; at < end; at += 1) {
    const char = bytes[at]!;
    if (char === BACKSLASH) at += 1;
    else if (char === QUOTE) return at + 1;
  }
  return end;
};

/** Removes the quotes and resolves quoted-pairs (RFC 3261 25.1): `"a\"b"` is `a"b`. */
export const unquote = (quoted: string): string => {
  const inner = quoted.endsWith('"') && quoted.length > 1 ? quoted.slice(1, -1) : quoted.slice(1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
};

const isWhite = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** The name of a parameter in small letters, byte by byte: what stands in a message is compared as bytes. */
export const nameCodes = (name: string): Uint8Array => Uint8Array.from(Buffer.from(name, 'latin1'));

/** True when the name between two offsets, blanks around it left out, is `name` in any case. */
const isName = (bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean => {
  let from = start;
  let to = end;
  while (from < to && isWhite(bytes[from]!)) from += 1;
  while (to > from && isWhite(bytes[to - 1]!)) to -= 1;
  if (to - from !== name.length) return false;
  for (let at = 0; at < name.length; at += 1) {
    const char = bytes[from + at]!;
    if ((char >= 0x41 && char <= 0x5a ? char | 0x20 : char) !== name[at]) return false;
  }
  return true;
};

/** Value of the parameter when it is the first one, plainly written and without quotes, as nearly always; else undefined. */
const readFirst = (
  bytes: Uint8Array,
  text: string,
  name: Uint8Array,
  from: number,
  end: number,
): string | undefined => {
  const value = from + name.length + 1;
  if (value > end || bytes[value - 1]! !== EQUALS) return undefined;
  for (let at = 0; at < name.length; at += 1) if (bytes[from + at] !== name[at]) return undefined;
  for (let at = value; at < end; at += 1) {
    const char = bytes[at]!;
    if (char === SEMICOLON || char === COMMA) return text.slice(value, at);
    if (char <= 0x20 || char === QUOTE) return undefined;
  }
  return text.slice(value, end);
};

/**
 * Value of a parameter in `name=value` pairs behind `separator`, between two offsets, up to the next value (`,`) where
 * the separator is `;`; quotes are removed. One pass. Separators: `;` for Via, From, To, `,` for digest credentials.
 * @param which of several with this name; servers differ, Kamailio takes the last tag and the last username
 * @returns an empty string when there is none
 */
export const readParameter = (
  bytes: Uint8Array,
  text: string,
  name: Uint8Array,
  from: number,
  end: number,
  separator: ';' | ',',
  which: 'first' | 'last' = 'first',
): string => {
  if (separator === ';') {
    const first = readFirst(bytes, text, name, from, end);
    // what stands behind it decides whether it is the last
    const isLast = first !== undefined && from + name.length + 1 + first.length === end;
    if (first !== undefined && (isLast || which === 'first')) return first;
  }
  let last = '';
  const separatorCode = separator.charCodeAt(0);
  const stopCode = separator === ';' ? COMMA : -1;
  let start = from;
  let equals = -1;
  for (let at = from; at <= end; at += 1) {
    const char = at < end ? bytes[at]! : separatorCode;
    if (char === QUOTE) {
      at = endOfQuoted(bytes, at, end) - 1;
    } else if (char === EQUALS && equals < 0) {
      equals = at;
    } else if (char === separatorCode || char === stopCode) {
      if (equals >= 0 && isName(bytes, start, equals, name)) {
        const value = text.slice(equals + 1, at).trim();
        last = value.startsWith('"') ? unquote(value) : value;
        if (which === 'first') return last;
      }
      if (char === stopCode) return last;
      start = at + 1;
      equals = -1;
    }
  }
  return last;
};
