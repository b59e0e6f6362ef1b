import type { Cidr } from '../../model/index.ts';
import type { NetworkTableData } from '../../enrich/index.ts';

/** How much a list covers, each address once: IPv4 addresses, IPv6 networks of /64 (what one customer has). */
export interface Covered {
  readonly v4: number;
  readonly v6: number;
}

/**
 * What one list may cover: 2 % of IPv4 (86 million addresses; Spamhaus DROP covers some 15 million), and 8,192 /32 of IPv6,
 * some 2 % of what the registries have handed out. More would shut out strangers as such.
 */
const MOST: Covered = { v4: 2 ** 32 / 50, v6: 2 ** (64 - 19) };
/** A list that is ten times what it was is another list; small ones may grow. */
const LEAP = 10;
const SMALL: Covered & { readonly lines: number } = { v4: 2 ** 16, v6: 2 ** 32, lines: 1_000 };

const WORD = 2 ** 32;

/** Addresses of the intervals that lie in some network. Of IPv6 the upper 64 bits count. */
const sumOf = ({ words, lists }: NetworkTableData['v4'], end: number): number => {
  const [high, low] = words.length === 1 ? [undefined, words[0]!] : words;
  const startOf = (at: number): number =>
    at === lists.length ? end : (high === undefined ? 0 : high[at]! * WORD) + low![at]!;
  let sum = 0;
  for (const [at, list] of lists.entries()) if (list !== 0) sum += startOf(at + 1) - startOf(at);
  return sum;
};

export const coveredBy = ({ v4, v6 }: NetworkTableData): Covered => ({ v4: sumOf(v4, WORD), v6: sumOf(v6, WORD ** 2) });

/** What one network adds. */
export const sizeOf = ({ family, prefix }: Cidr): Covered =>
  family === 4 ? { v4: 2 ** (32 - prefix), v6: 0 } : { v4: 0, v6: 2 ** (64 - Math.min(64, prefix)) };

/** Why no list may cover that much, or undefined. */
export const excessOf = ({ v4, v6 }: Covered): string | undefined => {
  if (v4 > MOST.v4)
    return `it covers ${((v4 / WORD) * 100).toFixed(1)} % of all IPv4 addresses, at most 2 % are taken (whole countries: blocked_countries)`;
  return v6 > MOST.v6
    ? `it covers as much as ${Math.round(v6 / WORD)} IPv6 networks of /32, at most ${MOST.v6 / WORD} are taken`
    : undefined;
};

/** Since the last poll it has become another list: in what, or undefined. */
export const leapOf = (
  before: Covered & { readonly lines: number },
  now: Covered & { readonly lines: number },
): string | undefined => {
  for (const [part, what] of [
    ['lines', 'entries'],
    ['v4', 'IPv4 addresses'],
    ['v6', 'IPv6 networks of /64'],
  ] as const)
    if (now[part] > LEAP * Math.max(before[part], SMALL[part]))
      return `it lists ${now[part]} ${what}, ${before[part]} before`;
  return undefined;
};
