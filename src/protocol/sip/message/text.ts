import { isUtf8 } from 'node:buffer';

/** Characters kept of any one value. Far above what phones send, low enough that 128 headers stay small. */
export const MAX_VALUE_CHARS = 1_024;

// oxlint-disable-next-line no-control-regex -- asks for bytes above ASCII
const ABOVE_ASCII = /[\u0080-\u00ff]/;

/** V8 copies shorter slices by itself; longer ones keep the whole message alive for as long as they live. */
const FIRST_SHARED_SLICE_CHARS = 13;

/** Reads text that was decoded as latin1 (one character a byte) again as UTF-8, if it is UTF-8, and bounds it. */
export const decodeText = (latin1: string): string => {
  let text = latin1;
  if (ABOVE_ASCII.test(latin1)) {
    const bytes = Buffer.from(latin1, 'latin1');
    if (isUtf8(bytes)) text = bytes.toString('utf8');
  }
  return text.length > MAX_VALUE_CHARS ? text.slice(0, MAX_VALUE_CHARS) : text;
};

/**
 * The same text in memory of its own. Names and Call-IDs are kept in tables long after their message; a mere slice
 * would hold up to 64 KiB each.
 */
export const detachText = (text: string): string =>
  text.length < FIRST_SHARED_SLICE_CHARS ? text : Buffer.from(text, 'utf8').toString('utf8');
