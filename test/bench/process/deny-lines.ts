/** 32 bits, the same ones in each run. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
};
const v4 = (bits: number): string => `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
const v6 = (bits: number, more: number): string =>
  `2001:${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}:${(more & 0xffff).toString(16)}::`;

/** As feeds are: mostly single addresses, then /24 and smaller, a few wide ones, a tenth of IPv6. */
const LENGTHS = [32, 32, 32, 32, 32, 32, 32, 32, 24, 24, 24, 29, 28, 22, 20, 16];

/** Networks to deny, one a line. */
export const denyLines = (count: number): string[] => {
  const random = randomFrom(1);
  return Array.from({ length: count }, (_, n) =>
    n % 10 === 9
      ? `${v6(random(), random())}/${n % 20 === 9 ? 64 : 48}`
      : `${v4(random())}/${LENGTHS[random() % LENGTHS.length]}`,
  );
};

/** 65,536 addresses to look up. */
export const askedAddresses = (): string[] => {
  const random = randomFrom(0x5eed_0000);
  return Array.from({ length: 65_536 }, (_, n) => (n % 10 === 9 ? `${v6(random(), random())}1` : v4(random())));
};
