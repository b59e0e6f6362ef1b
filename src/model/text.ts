/** Characters of attacker's text that are kept of one value, after which it is cut. */
export const MAX_SHOWN_CHARS = 200;

/** Control, format (bidirectional, zero-width, tag) and separator characters, lone surrogates, non-characters, quotes. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff"\\]/gu;

/**
 * Makes attacker's text harmless for terminals and log lines: control characters (C0, DEL, C1), line and paragraph
 * separators, bidirectional and invisible characters, quotes and backslashes become \xNN, \uNNNN or \u{NNNNN};
 * the length is bounded.
 */
export const escapeText = (text: string, maxChars: number = MAX_SHOWN_CHARS): string => {
  const cut = text.length > maxChars ? text.slice(0, maxChars) : text;
  const escaped = cut.replace(HARMFUL, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
  });
  return cut.length < text.length ? `${escaped}…` : escaped;
};
