const COLON = 0x3a;

/** Groups before a `::` and after it; module-wide, for nothing here is asynchronous. */
const groups = new Uint16Array(8);

const hexOf = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
};

/**
 * Reads an IPv6 address of hexadecimal groups (RFC 4291 2.2, forms 1 and 2) into four numbers of 32 bits. Written out: lists
 * hold a million of them, and every request from an IPv6 address passes here.
 * @returns false for anything else, embedded IPv4 addresses among it
 */
export const readV6Bytes = (bytes: Uint8Array, start: number, end: number, into: Uint32Array): boolean => {
  let count = 0;
  let gap = -1;
  let at = start;
  if (end - start < 2 || end - start > 39) return false;
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    if (count === 8) return false;
    let value = 0;
    let digits = 0;
    for (; at < end && bytes[at] !== COLON; at += 1, digits += 1) {
      const digit = hexOf(bytes[at]!);
      if (digit < 0 || digits === 4) return false;
      value = (value << 4) | digit;
    }
    if (digits === 0) return false;
    groups[count++] = value;
    if (at === end) break;
    at += 1;
    if (at === end) return false;
    if (bytes[at] !== COLON) continue;
    if (gap >= 0) return false;
    gap = count;
    at += 1;
  }
  if (gap < 0 ? count !== 8 : count === 8) return false;
  const missing = 8 - count;
  for (let word = 0; word < 4; word += 1) {
    let value = 0;
    for (let group = 2 * word; group < 2 * word + 2; group += 1) {
      const from = gap < 0 || group < gap ? group : group - missing;
      value = (value << 16) | (gap >= 0 && group >= gap && group < gap + missing ? 0 : groups[from]!);
    }
    into[word] = value;
  }
  return true;
};
