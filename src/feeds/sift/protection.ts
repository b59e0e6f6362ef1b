import { formatCidr, parseCidr } from '../../model/index.ts';
import type { Cidr } from '../../model/index.ts';
import { embeddingsOf } from '../../enrich/index.ts';

/** An address or network that no feed may hit, and what it is: `peer carrier`, `a registered phone`. */
export interface Protected {
  readonly subject: string;
  readonly what: string;
}

/** Shorter prefixes are half a continent: a mistake of the feed, or worse. */
const WIDEST = { 4: 12, 6: 28 } as const;
/** Wider networks are the whole of a provider: that somebody attacks from there is true, and is no reason to ban all of it. */
const WIDEST_BAN = { 4: 16, 6: 32 } as const;

/** Whether a feed that lists this network may only have its addresses challenged. */
export const isWide = (family: 4 | 6, prefix: number): boolean => prefix < WIDEST_BAN[family];
/**
 * Nobody's addresses, and those that every site has for itself: a feed that lists them blocks nobody or everybody
 * (RFC 6890, RFC 1918, RFC 6598, RFC 2544, multicast and above). In the IPv6 addresses that stand for IPv4 ones as well.
 */
const NOBODY = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
] as const;

export interface Refusal {
  readonly why: 'nobody' | 'too-wide' | 'protected';
  /** What it would hit. */
  readonly what: string;
}

export interface Protection {
  /** Why this network may not enter. */
  refuse(cidr: Cidr): Refusal | undefined;
  /** The same for an IPv4 network as a number of 32 bits (host bits zero) and its length: a million lines are asked so. */
  refuseV4(start: number, prefix: number): Refusal | undefined;
}

const V6_BITS = 128n;
const toBits = ({ bytes }: Cidr): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
const toWord = ({ bytes }: Cidr): number => bytes.reduce((value, byte) => value * 256 + byte, 0);

interface Range<N> {
  readonly start: N;
  readonly end: N;
  readonly label: string;
}

/** Networks are either apart or one within the other: only the outer ones are kept, so that their ends rise as well. */
const outermost = <N extends number | bigint>(ranges: Range<N>[]): readonly Range<N>[] => {
  ranges.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.end > b.end ? -1 : 1));
  const kept: Range<N>[] = [];
  for (const range of ranges) {
    const last = kept.at(-1);
    if (last === undefined || range.start > last.end) kept.push(range);
  }
  return kept;
};

/** The range that has something in common with this one. */
const overlap = <N extends number | bigint>(ranges: readonly Range<N>[], start: N, end: N): Range<N> | undefined => {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.end < start) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found.start <= end ? found : undefined;
};

interface Families {
  readonly v4: readonly Range<number>[];
  readonly v6: readonly Range<bigint>[];
}

const reservedNetworks = (): readonly Protected[] =>
  NOBODY.flatMap((text) => {
    const cidr = parseCidr(text);
    const all = cidr.family === 4 ? [cidr, ...embeddingsOf(cidr)] : [cidr];
    return all.map((one) => ({ subject: formatCidr(one), what: '' }));
  });

const lastV4 = (start: number, prefix: number): number => start + 2 ** (32 - prefix) - 1;
const lastV6 = (start: bigint, prefix: number): bigint => start + (1n << (V6_BITS - BigInt(prefix))) - 1n;

const familiesOf = (subjects: Iterable<Protected>): Families => {
  const v4: Range<number>[] = [];
  const v6: Range<bigint>[] = [];
  for (const { subject, what } of subjects) {
    const cidr = parseCidr(subject);
    const label = `${subject} (${what})`;
    if (cidr.family === 4) v4.push({ start: toWord(cidr), end: lastV4(toWord(cidr), cidr.prefix), label });
    else v6.push({ start: toBits(cidr), end: lastV6(toBits(cidr), cidr.prefix), label });
  }
  return { v4: outermost(v4), v6: outermost(v6) };
};

const TOO_WIDE: Refusal = { why: 'too-wide', what: '' };
const IS_NOBODY: Refusal = { why: 'nobody', what: '' };

/** Asked for each line of a feed, up to millions of times. */
export const createProtection = (
  subjects: readonly Protected[],
  isCustomer: (ip: string) => boolean = () => false,
): Protection => {
  const nobody = familiesOf(reservedNetworks());
  const ours = familiesOf(subjects);
  const refuseV4 = (start: number, prefix: number): Refusal | undefined => {
    if (prefix < WIDEST[4]) return TOO_WIDE;
    const end = lastV4(start, prefix);
    if (overlap(nobody.v4, start, end) !== undefined) return IS_NOBODY;
    const hit = overlap(ours.v4, start, end);
    return hit && { why: 'protected', what: hit.label };
  };
  const refuseV6 = (start: bigint, prefix: number): Refusal | undefined => {
    if (prefix < WIDEST[6]) return TOO_WIDE;
    const end = lastV6(start, prefix);
    if (overlap(nobody.v6, start, end) !== undefined) return IS_NOBODY;
    const hit = overlap(ours.v6, start, end);
    return hit && { why: 'protected', what: hit.label };
  };
  return {
    refuseV4,
    refuse(cidr) {
      const { family, prefix, network } = cidr;
      if (prefix >= (family === 4 ? 32 : 64) && isCustomer(network))
        return { why: 'protected', what: `${network} (a registered phone)` };
      return family === 4 ? refuseV4(toWord(cidr), prefix) : refuseV6(toBits(cidr), prefix);
    },
  };
};
