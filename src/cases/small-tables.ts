import type { CompanionConfig } from '../judging/index.ts';

/** Room for more sources than a made-up case has: tables for a hundred thousand take longer to make than to use. */
const ENOUGH = 2_000;

const smaller = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key.startsWith('max_') && typeof inner === 'number' ? Math.min(inner, ENOUGH) : smaller(inner),
    ]),
  );
};

/** The same policy with small tables. Where no table is full, it judges the same. */
export const withSmallTables = (policy: CompanionConfig): CompanionConfig => ({
  ...policy,
  decide: smaller(policy.decide) as CompanionConfig['decide'],
  detect: smaller(policy.detect) as CompanionConfig['detect'],
});
