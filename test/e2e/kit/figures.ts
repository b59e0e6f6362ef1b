const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The value below which this share of all values lies (nearest rank). */
export const quantile = (values: readonly number[], share: number): number =>
  sorted(values)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN;

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `median 1.2, p95 3.4, worst 5.6 ms of 25`. */
export const spread = (values: readonly number[]): string => {
  const shown = (value: number): string => value.toFixed(2);
  const [middle, high, worst] = [median(values), quantile(values, 0.95), quantile(values, 1)];
  return `median ${shown(middle)}, p95 ${shown(high)}, worst ${shown(worst)} ms of ${values.length}`;
};

/** One line of measured figures among the tests' output. */
export const figure = (name: string, text: string): void => {
  process.stdout.write(`  figure  ${name}: ${text}\n`);
};

/** `401 × 20, 407 × 3`. */
export const tally = (values: Iterable<string | number>): string => {
  const counts = new Map<string | number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts.size === 0 ? 'none' : [...counts].map(([value, count]) => `${value} × ${count}`).join(', ');
};
