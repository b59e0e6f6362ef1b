import { likeLengths } from './like.ts';
import type { PlainTest } from './pack-schema.ts';

/** How long a value may be, to pass a test. */
export interface Lengths {
  readonly least: number;
  readonly most: number;
}

const ANY: Lengths = { least: 0, most: Number.POSITIVE_INFINITY };

const from = (least: number): Lengths => ({ least, most: Number.POSITIVE_INFINITY });

const both = (one: Lengths, other: Lengths): Lengths => ({
  least: Math.max(one.least, other.least),
  most: Math.min(one.most, other.most),
});

/**
 * The lengths of values that may pass: by them most messages are told apart from most tools, without a look at the text.
 * Where case does not matter a text may change its length with it (`İ`): then some tests say nothing.
 */
export const lengthsOf = (test: PlainTest): Lengths => {
  const { is, one_of: oneOf, starts, ends, contains, like, any_case: folded } = test;
  const lengths: Lengths[] = [];
  if (is !== undefined) {
    const { length } = folded ? is.toLowerCase() : is;
    lengths.push({ least: length, most: length });
  }
  if (contains !== undefined && !folded) lengths.push(from(contains.length));
  if (ends !== undefined && !folded) lengths.push(from(ends.length));
  if (starts !== undefined && !folded) lengths.push(from(starts.length));
  if (like !== undefined && !folded) lengths.push(likeLengths(like));
  if (oneOf !== undefined && !folded) {
    const all = oneOf.map((text) => text.length);
    lengths.push({ least: Math.min(...all), most: Math.max(...all) });
  }
  return lengths.reduce(both, ANY);
};
