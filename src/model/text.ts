/** Characters of attacker's text that are kept of one value, after which it is cut. */
export const MAX_SHOWN_CHARS = 200;

/**
 * Makes attacker's text harmless for terminals and log lines: control characters (C0, DEL, C1), line and paragraph
 * separators, bidirectional overrides, quotes and backslashes become \xNN or \uNNNN; the length is bounded.
 */
export const escapeText = (text: string, maxChars: number = MAX_SHOWN_CHARS): string => {
  const cut = text.length > maxChars ? text.slice(0, maxChars) : text;
  const escaped = cut.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what this removes
    /[\u0000-\u001f\u007f-\u009f"\\\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (char) => {
      const code = char.charCodeAt(0);
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
  return cut.length < text.length ? `${escaped}…` : escaped;
};
