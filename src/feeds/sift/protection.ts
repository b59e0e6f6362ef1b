import { parseCidr } from '../../model/index.ts';
import type { Cidr } from '../../model/index.ts';
import { PrefixMap, createPrivateRange } from '../../enrich/index.ts';

/** An address or network that no feed may hit, and what it is: `peer carrier`, `a registered phone`. */
export interface Protected {
  readonly subject: string;
  readonly what: string;
}

/** Shorter prefixes are half a continent: a mistake of the feed, or worse. */
const WIDEST = { 4: 12, 6: 28 } as const;
/** Nobody's addresses: a feed that lists them blocks nobody, and its keys cost memory. */
const NOBODY = /^(?:0\.|127\.|22[4-9]\.|2[3-5]\d\.|192\.0\.0\.|198\.1[89]\.|ff[0-9a-f]{2}:|::1?$)/;

export type Refusal = 'nobody' | 'too-wide' | 'protected';

export interface Protection {
  /** Why this network may not enter, and what it would hit. */
  refuse(cidr: Cidr): { readonly why: Refusal; readonly what: string } | undefined;
}

const V6_BITS = 128n;
const toBits = ({ bytes }: Cidr): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
const toWord = ({ bytes }: Cidr): number => bytes.reduce((value, byte) => value * 256 + byte, 0);

/** Index of the first element that is not smaller. */
const lowerBound = <N extends number | bigint>(sorted: readonly N[], value: N): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Asked for each line of a feed, up to millions of times. */
export const createProtection = (
  subjects: readonly Protected[],
  isCustomer: (ip: string) => boolean = () => false,
): Protection => {
  const covering = new PrefixMap<Protected>();
  const starts4: (readonly [number, Protected])[] = [];
  const starts6: (readonly [bigint, Protected])[] = [];
  for (const one of subjects) {
    const cidr = parseCidr(one.subject);
    covering.set(cidr, one);
    if (cidr.family === 4) starts4.push([toWord(cidr), one]);
    else starts6.push([toBits(cidr), one]);
  }
  starts4.sort((a, b) => a[0] - b[0]);
  starts6.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const keys4 = starts4.map(([start]) => start);
  const keys6 = starts6.map(([start]) => start);
  const isPrivate = createPrivateRange();

  /** A protected address or network that begins inside. */
  const inside = (cidr: Cidr): Protected | undefined => {
    if (cidr.family === 4) {
      const first = toWord(cidr);
      const found = starts4[lowerBound(keys4, first)];
      return found !== undefined && found[0] < first + 2 ** (32 - cidr.prefix) ? found[1] : undefined;
    }
    const first = toBits(cidr);
    const found = starts6[lowerBound(keys6, first)];
    return found !== undefined && found[0] < first + (1n << (V6_BITS - BigInt(cidr.prefix))) ? found[1] : undefined;
  };

  return {
    refuse(cidr) {
      if (cidr.prefix < WIDEST[cidr.family]) return { why: 'too-wide', what: '' };
      if (isPrivate(cidr.network) || NOBODY.test(cidr.network)) return { why: 'nobody', what: '' };
      const single = cidr.prefix >= (cidr.family === 4 ? 32 : 64);
      if (single && isCustomer(cidr.network)) return { why: 'protected', what: `${cidr.network} (a registered phone)` };
      const hit = covering.match(cidr.network) ?? inside(cidr);
      return hit === undefined ? undefined : { why: 'protected', what: `${hit.subject} (${hit.what})` };
    },
  };
};
