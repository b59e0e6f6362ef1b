/** Which letters a token is made of, apart from separators. */
export const ALPHABETS = ['empty', 'decimal', 'hex', 'HEX', 'lower', 'upper', 'mixed', 'uuid'] as const;

/** Lengths are told apart coarsely: a random number has one digit less every tenth time. */
const LENGTHS = [0, 4, 12, 24, 40, 80] as const;
export const LENGTH_NAMES = ['0', '1-4', '5-12', '13-24', '25-40', '41-80', '>80'] as const;

/** Bits of the separators that occur, in this order. */
export const SEPARATORS = ['-', '.', '_', 'other'] as const;

/** Longest stretch that is looked at: the rest tells nothing new, and costs time. */
const MAX_CHARS = 96;

const SHORT = 12;

const UUID_DASHES = [8, 13, 18, 23] as const;

const DIGIT = 1;
const HEX_LOWER = 2;
const REST_LOWER = 4;
const HEX_UPPER = 8;
const REST_UPPER = 16;
const DASH = 32;
const DOT = 64;
const UNDERSCORE = 128;
const OTHER = 256;

const classOf = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return DIGIT;
  if (code >= 0x61 && code <= 0x7a) return code <= 0x66 ? HEX_LOWER : REST_LOWER;
  if (code >= 0x41 && code <= 0x5a) return code <= 0x46 ? HEX_UPPER : REST_UPPER;
  if (code === 0x2d) return DASH;
  if (code === 0x2e) return DOT;
  return code === 0x5f ? UNDERSCORE : OTHER;
};

/** By character code, so that the loop below decides nothing. */
const CLASSES = Uint16Array.from({ length: 128 }, (_, code) => classOf(code));

/** @param short of eight hex digits one in forty has no letter: a short number may be either, and reads as hex */
const alphabetOf = (seen: number, short: boolean): (typeof ALPHABETS)[number] => {
  const lower = seen & (HEX_LOWER | REST_LOWER);
  const upper = seen & (HEX_UPPER | REST_UPPER);
  if (lower === 0 && upper === 0) return (seen & DIGIT) === 0 ? 'empty' : short ? 'hex' : 'decimal';
  if (lower !== 0 && upper !== 0) return 'mixed';
  if (lower !== 0) return (seen & REST_LOWER) === 0 ? 'hex' : 'lower';
  return (seen & REST_UPPER) === 0 ? 'HEX' : 'upper';
};

const bucketOf = (length: number): number => {
  let bucket = 0;
  while (bucket < LENGTHS.length && length > LENGTHS[bucket]!) bucket += 1;
  return bucket;
};

/** Code of a token between two places: alphabet, length and separators, in twelve bits. */
export const tokenShape = (text: string, start: number, end: number): number => {
  let seen = 0;
  const stop = Math.min(end, start + MAX_CHARS);
  for (let at = start; at < stop; at += 1) {
    const code = text.charCodeAt(at);
    seen |= code < 128 ? CLASSES[code]! : OTHER;
  }
  const uuid = end - start === 36 && UUID_DASHES.every((dash) => text.charCodeAt(start + dash) === 0x2d);
  const alphabet = ALPHABETS.indexOf(uuid ? 'uuid' : alphabetOf(seen, end - start <= SHORT));
  return (alphabet << 8) | (bucketOf(end - start) << 4) | (seen >> 5);
};

/** `decimal 5-12`, `hex 25-40 with -`. */
export const tokenText = (shape: number): string => {
  const separators = SEPARATORS.filter((_, bit) => (shape & (1 << bit)) !== 0);
  const head = `${ALPHABETS[shape >> 8] ?? '?'} ${LENGTH_NAMES[(shape >> 4) & 15] ?? '?'}`;
  return separators.length === 0 ? head : `${head} with ${separators.join('')}`;
};
