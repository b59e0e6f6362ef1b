import { isUtf8 } from 'node:buffer';

/** Characters kept of any one value. Far above what phones send, low enough that 128 headers stay small. */
export const MAX_VALUE_CHARS = 1_024;

// oxlint-disable-next-line no-control-regex -- asks for bytes above ASCII
const ABOVE_ASCII = /[\u0080-\u00ff]/;

/** Reads text that was decoded as latin1 (one character a byte) again as UTF-8, if it is UTF-8, and bounds it. */
export const decodeText = (latin1: string): string => {
  let text = latin1;
  if (ABOVE_ASCII.test(latin1)) {
    const bytes = Buffer.from(latin1, 'latin1');
    if (isUtf8(bytes)) text = bytes.toString('utf8');
  }
  return text.length > MAX_VALUE_CHARS ? text.slice(0, MAX_VALUE_CHARS) : text;
};
