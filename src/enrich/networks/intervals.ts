import type { FamilyRows } from './read-networks.ts';
import { sortedRows } from './sort-rows.ts';

/**
 * The addresses of one family cut into intervals, in order: where each begins, and the closest network that covers it
 * (the number of its list plus one, 0: none; its prefix length). An interval ends where the next one begins.
 */
export interface Intervals {
  readonly words: readonly Uint32Array[];
  readonly lists: Uint16Array;
  readonly prefixes: Uint8Array;
  /** For the upper 16 bits of an address, the first interval that begins with them, or with more. */
  readonly tops: Uint32Array;
}

const TOPS = 2 ** 16;

/** The bits of a word that belong to the network. */
const maskOf = (prefix: number, word: number): number => {
  const keep = prefix - word * 32;
  return keep >= 32 ? -1 : keep <= 0 ? 0 : -1 << (32 - keep);
};

/** Cuts the networks into intervals; of the same network on two lists, the one read first stays. */
export const cutIntervals = (rows: FamilyRows): Intervals => {
  const width = rows.words.length;
  const room = 2 * rows.count + 1;
  const words = rows.words.map(() => new Uint32Array(room));
  const lists = new Uint16Array(room);
  const prefixes = new Uint8Array(room);
  const begin = new Uint32Array(width);
  /** Networks that cover the place where we are, the closest last. */
  const open = new Uint32Array(130);
  let depth = 0;
  let count = 0;

  /** From `begin` on, the innermost open network counts. */
  const cut = (): void => {
    const inner = depth === 0 ? -1 : open[depth - 1]!;
    const list = inner < 0 ? 0 : rows.lists[inner]! + 1;
    const prefix = inner < 0 ? 0 : rows.prefixes[inner]!;
    const last = count - 1;
    let here = last >= 0;
    for (let word = 0; here && word < width; word += 1) here = words[word]![last] === begin[word];
    if (!here) {
      // neighbours of one length on one list are one interval: the network follows from the address
      if (last >= 0 && lists[last] === list && prefixes[last] === prefix) return;
      for (let word = 0; word < width; word += 1) words[word]![count] = begin[word]!;
      count += 1;
    }
    lists[count - 1] = list;
    prefixes[count - 1] = prefix;
  };

  const covers = (outer: number, row: number): boolean => {
    const prefix = rows.prefixes[outer]!;
    for (let word = 0; word < width; word += 1) {
      const differing = rows.words[word]![outer]! ^ rows.words[word]![row]!;
      if ((differing & maskOf(prefix, word)) !== 0) return false;
    }
    return true;
  };

  /** Leaves the innermost network: `begin` is the address behind it, unless it reaches to the end of all addresses. */
  const close = (): void => {
    const row = open[--depth]!;
    const prefix = rows.prefixes[row]!;
    let carry = true;
    for (let word = width - 1; word >= 0; word -= 1) {
      const end = rows.words[word]![row]! | ~maskOf(prefix, word);
      begin[word] = carry ? end + 1 : end;
      carry = carry && end === -1;
    }
    if (!carry) cut();
  };

  for (const row of sortedRows(rows)) {
    while (depth > 0 && !covers(open[depth - 1]!, row)) close();
    if (depth > 0 && rows.prefixes[open[depth - 1]!] === rows.prefixes[row]) continue;
    open[depth++] = row;
    for (let word = 0; word < width; word += 1) begin[word] = rows.words[word]![row]!;
    cut();
  }
  while (depth > 0) close();

  const first = words[0]!;
  const tops = new Uint32Array(TOPS + 1).fill(count);
  for (let interval = count - 1; interval >= 0; interval -= 1) tops[first[interval]! >>> 16] = interval;
  for (let top = TOPS - 1; top >= 0; top -= 1) tops[top] = Math.min(tops[top]!, tops[top + 1]!);
  return {
    words: words.map((column) => column.slice(0, count)),
    lists: lists.slice(0, count),
    prefixes: prefixes.slice(0, count),
    tops,
  };
};

/** The number of the interval that an address lies in; -1 before the first. The address: as many words as the family has. */
export const findInterval = ({ words, tops }: Intervals, address: Uint32Array): number => {
  const top = address[0]! >>> 16;
  let low = tops[top]!;
  let high = tops[top + 1]!;
  // the last interval that does not begin behind the address stands before `high`
  while (low < high) {
    const middle = (low + high) >>> 1;
    let word = 0;
    while (word < words.length - 1 && words[word]![middle] === address[word]) word += 1;
    if (words[word]![middle]! <= address[word]!) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};
