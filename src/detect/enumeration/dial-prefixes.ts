/** The digits by which calls to one number recognise each other, whatever stands before them. */
const TAIL_DIGITS = 8;

/** Longest user part that is read: a number has fifteen digits (E.164), a hunter's prefixes at most as many again. */
const MAX_CHARS = 64;

/** What stands between digits for the eye only (RFC 3966 5.1.1), and what follows a number. */
const SEPARATORS = /[-.()\s]/g;
const PARAMETERS = /[;?@].*$/s;

/** A dialled number, taken apart at its last eight digits. */
export interface Dialled {
  readonly prefix: string;
  readonly tail: string;
}

/** @returns undefined for extensions, names, and whatever else does not end in more than eight digits */
export const readDialled = (name: string): Dialled | undefined => {
  const text = name.slice(0, MAX_CHARS);
  const number = text.replace(PARAMETERS, '').replaceAll(SEPARATORS, '');
  if (number.length <= TAIL_DIGITS || !/^\d+$/.test(number.slice(-TAIL_DIGITS))) return undefined;
  return { prefix: number.slice(0, -TAIL_DIGITS), tail: number.slice(-TAIL_DIGITS) };
};

/** One number and what was tried before it. */
export interface Hunted {
  readonly tail: string;
  readonly prefixes: readonly string[];
}

/** The number that was tried with the most dial prefixes; undefined when nothing was dialled. */
export const findHunted = (calls: Iterable<Dialled | undefined>): Hunted | undefined => {
  const tails = new Map<string, Set<string>>();
  let most: Hunted | undefined;
  for (const call of calls) {
    if (call === undefined) continue;
    const prefixes = tails.get(call.tail) ?? new Set();
    tails.set(call.tail, prefixes.add(call.prefix));
    if (prefixes.size > (most?.prefixes.length ?? 0)) most = { tail: call.tail, prefixes: [...prefixes] };
  }
  return most;
};
