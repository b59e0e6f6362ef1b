const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The value below which this share of all values lies (nearest rank). */
export const quantile = (values: readonly number[], share: number): number =>
  sorted(values)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN;

/** `median 1.2, p95 3.4, worst 5.6 ms of 25`. */
export const spread = (values: readonly number[]): string => {
  const at = (share: number): string => quantile(values, share).toFixed(2);
  return `median ${at(0.5)}, p95 ${at(0.95)}, worst ${at(1)} ms of ${values.length}`;
};

/** `401 × 20, 407 × 3`. */
export const tally = (values: Iterable<string | number>): string => {
  const counts = new Map<string | number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts.size === 0 ? 'none' : [...counts].map(([value, count]) => `${value} × ${count}`).join(', ');
};
