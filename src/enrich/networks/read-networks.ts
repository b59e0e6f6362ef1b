import { parseCidr } from '../../model/index.ts';
import { readV6Bytes } from './read-v6.ts';

/** Networks of one family: the words of each network (1 or 4), its prefix length, the number of its list. */
export interface FamilyRows {
  readonly words: readonly Uint32Array[];
  readonly prefixes: Uint8Array;
  readonly lists: Uint16Array;
  count: number;
}

/** What was read of several lists, and what to call them. */
export interface Networks {
  readonly names: readonly string[];
  readonly v4: FamilyRows;
  readonly v6: FamilyRows;
  /** The first lines that are no address, and how many there were in all. */
  readonly unread: readonly UnreadLine[];
  readonly unreadCount: number;
}

/** `text` is the list's own: escape it where it is shown. */
export interface UnreadLine {
  readonly list: string;
  readonly line: number;
  readonly text: string;
}

export interface NetworkList {
  readonly name: string;
  /** An address or CIDR a line; `#` and `;` begin a comment. */
  readonly bytes: Uint8Array;
}

/** Numbers of lists have 16 bits, and 0 stands for none. */
const MAX_LISTS = 65_534;
const MAX_UNREAD = 20;
const MAX_SHOWN_CHARS = 60;

const [TAB, LF, CR, SPACE, HASH, DOT, SLASH, COLON, SEMICOLON] = [0x09, 0x0a, 0x0d, 0x20, 0x23, 0x2e, 0x2f, 0x3a, 0x3b];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

const isBlank = (code: number): boolean => code === SPACE || code === TAB || code === CR;

const rowsFor = (words: number, lines: number): FamilyRows => ({
  // of what is not written the kernel gives nothing
  words: Array.from({ length: words }, () => new Uint32Array(lines)),
  prefixes: new Uint8Array(lines),
  lists: new Uint16Array(lines),
  count: 0,
});

const countLines = (bytes: Uint8Array): number => {
  let lines = 1;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines += 1;
  return lines;
};

/** A number of one to three digits without leading zeros; -1 for anything else. */
const readDecimal = (bytes: Uint8Array, start: number, end: number): number => {
  const length = end - start;
  if (length < 1 || length > 3 || (length > 1 && bytes[start] === 0x30)) return -1;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
};

/** Reads dotted IPv4 into the first word. Leading zeros are refused: some read them as octal. */
const readV4Bytes = (bytes: Uint8Array, start: number, end: number, into: Uint32Array): boolean => {
  let value = 0;
  let from = start;
  for (let octet = 0; octet < 4; octet += 1) {
    let to = from;
    while (to < end && bytes[to] !== DOT) to += 1;
    const number = readDecimal(bytes, from, to);
    if (number < 0 || number > 255 || to < end !== octet < 3) return false;
    value = (value << 8) | number;
    from = to + 1;
  }
  into[0] = value;
  return true;
};

const address = new Uint32Array(4);

const add = (rows: FamilyRows, prefix: number, list: number): void => {
  const row = rows.count++;
  for (let word = 0; word < rows.words.length; word += 1) {
    const keep = Math.min(32, Math.max(0, prefix - word * 32));
    rows.words[word]![row] = keep === 0 ? 0 : address[word]! & (-1 << (32 - keep));
  }
  rows.prefixes[row] = prefix;
  rows.lists[row] = list;
};

/** The unusual ways to write an address, IPv4 within IPv6, as everywhere else in the program. */
const addUnusual = (text: string, v4: FamilyRows, v6: FamilyRows, list: number): boolean => {
  try {
    const { family, bytes, prefix } = parseCidr(text);
    for (let at = 0; at < bytes.length; at += 4)
      address[at / 4] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    add(family === 4 ? v4 : v6, prefix, list);
    return true;
  } catch {
    return false;
  }
};

const isMappedV4 = (): boolean => address[0] === 0 && address[1] === 0 && address[2] === 0xffff;

/** Reads whole lists. Host bits are cleared. @throws RangeError for more lists than have a number */
export const readNetworks = (lists: readonly NetworkList[]): Networks => {
  if (lists.length > MAX_LISTS) throw new RangeError(`More than ${MAX_LISTS} lists of networks.`);
  const lines = lists.reduce((sum, { bytes }) => sum + countLines(bytes), 0);
  const v4 = rowsFor(1, lines);
  const v6 = rowsFor(4, lines);
  const unread: UnreadLine[] = [];
  let unreadCount = 0;

  const addToken = (bytes: Uint8Array, start: number, end: number, list: number): boolean => {
    let slash = end;
    let colon = false;
    for (let at = start; at < end; at += 1) {
      if (bytes[at] === COLON) colon = true;
      else if (bytes[at] === SLASH) {
        slash = at;
        break;
      }
    }
    const longest = colon ? 128 : 32;
    const prefix = slash === end ? longest : readDecimal(bytes, slash + 1, end);
    if (prefix < 0 || prefix > longest) return false;
    const read = colon ? readV6Bytes(bytes, start, slash, address) : readV4Bytes(bytes, start, slash, address);
    if (read && !(colon && isMappedV4())) {
      add(colon ? v6 : v4, prefix, list);
      return true;
    }
    if (!colon || end - start > 64) return false;
    return addUnusual(Buffer.from(bytes.subarray(start, end)).toString('latin1'), v4, v6, list);
  };

  for (const [list, { name, bytes }] of lists.entries()) {
    let line = 0;
    let start = BYTE_ORDER_MARK.every((code, at) => bytes[at] === code) ? BYTE_ORDER_MARK.length : 0;
    while (start < bytes.length) {
      line += 1;
      let end = bytes.indexOf(LF, start);
      if (end < 0) end = bytes.length;
      let from = start;
      while (from < end && isBlank(bytes[from]!)) from += 1;
      let to = from;
      while (to < end && bytes[to] !== HASH && bytes[to] !== SEMICOLON) to += 1;
      while (to > from && isBlank(bytes[to - 1]!)) to -= 1;
      if (to > from && !addToken(bytes, from, to, list)) {
        unreadCount += 1;
        if (unread.length < MAX_UNREAD) {
          const shown = bytes.subarray(from, Math.min(to, from + MAX_SHOWN_CHARS));
          unread.push({ list: name, line, text: Buffer.from(shown).toString('latin1') });
        }
      }
      start = end + 1;
    }
  }
  return { names: lists.map(({ name }) => name), v4, v6, unread, unreadCount };
};
