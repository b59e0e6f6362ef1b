const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Position after the closing quote of the quoted string that opens at `open`, or the length when it never closes. */
export const endOfQuoted = (text: string, open: number): number => {
  for (let index = open + 1; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (char === BACKSLASH) index += 1;
    else if (char === QUOTE) return index + 1;
  }
  return text.length;
};

/** Removes the quotes and resolves quoted-pairs (RFC 3261 25.1): `"a\"b"` is `a"b`. */
export const unquote = (quoted: string): string => {
  const inner = quoted.endsWith('"') && quoted.length > 1 ? quoted.slice(1, -1) : quoted.slice(1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
};

const sameName = (text: string, from: number, to: number, name: string): boolean => {
  if (to - from < name.length) return false;
  const written = text.slice(from, to).trim();
  return written.length === name.length && written.toLowerCase() === name;
};

/**
 * Value of a parameter in `name=value` pairs behind `separator`, from `from` up to `stop` outside quotes; quotes are
 * removed. One pass. Separators: `;` for Via, From, To (stop at `,`, the next value), `,` for digest credentials.
 * @returns an empty string when there is none
 */
export const readParameter = (text: string, name: string, from: number, separator: ';' | ','): string => {
  const separatorCode = separator.charCodeAt(0);
  const stopCode = separator === ';' ? 0x2c : -1;
  let start = from;
  let equals = -1;
  for (let index = from; index <= text.length; index += 1) {
    const char = index < text.length ? text.charCodeAt(index) : separatorCode;
    if (char === QUOTE) {
      index = endOfQuoted(text, index) - 1;
    } else if (char === 0x3d && equals < 0) {
      equals = index;
    } else if (char === separatorCode || char === stopCode) {
      if (equals >= 0 && sameName(text, start, equals, name)) {
        const value = text.slice(equals + 1, index).trim();
        return value.startsWith('"') ? unquote(value) : value;
      }
      if (char === stopCode) return '';
      start = index + 1;
      equals = -1;
    }
  }
  return '';
};
