import type { StatsReport } from '../../model/index.ts';

const sum = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((total, value) => total + value, 0);

/** The rules of one family, by the part after the dot. */
const family = (rules: Readonly<Record<string, number>>, name: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(rules)
      .filter(([rule]) => rule.startsWith(`${name}.`))
      .map(([rule, count]) => [rule.slice(name.length + 1), count]),
  );

/** The six keys that its dashboards read, and since when they count. */
export const guardianStats = ({ figures, activeBans, startedAt }: StatsReport): object => ({
  total_requests: figures.requests,
  blocked_requests: sum(figures.blocked),
  active_bans: activeBans,
  enumeration_detections: sum(family(figures.rules, 'enumeration')),
  validation_failures: figures.validated.invalid + figures.parseErrors,
  rate_limited: sum(figures.limited),
  since: new Date(startedAt).toISOString(),
});

export const enumerationStats = ({ figures, enumerationSources }: StatsReport): object => {
  const reasons = family(figures.rules, 'enumeration');
  return { detections: sum(reasons), tracked_ips: enumerationSources, by_reason: reasons };
};

export const validationStats = ({ figures }: StatsReport): object => {
  const { valid, invalid, violations } = figures.validated;
  const byRule = { ...family(figures.rules, 'garbage'), ...violations };
  return { violations: sum(byRule), by_rule: byRule, results: { valid, invalid: invalid + figures.parseErrors } };
};
