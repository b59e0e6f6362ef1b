import type { Figures } from '../../model/index.ts';
import { guardianAliases } from './guardian-aliases.ts';
import { createMetrics } from './metrics.ts';
import type { MetricSources } from './metrics.ts';

type Counts = Readonly<Record<string, number>>;

export interface ExpositionParts {
  readonly sources: MetricSources;
  readonly figures: () => Figures;
  /** Counters of the doors and of what else has some, by group. */
  readonly more: () => Readonly<Record<string, Counts>>;
  readonly activeBans: () => number;
  readonly enumerationSources: () => number;
  readonly countries: () => Counts;
  /** Also under the names of SIP Guardian. */
  readonly aliases: boolean;
}

/** The whole text of `/metrics`. */
export const createExposition = (parts: ExpositionParts) => {
  const metrics = createMetrics({
    ...parts.sources,
    totals() {
      const { methods: requests, rules: findings, limited, blocked, validated } = parts.figures();
      const { violations } = validated;
      const countries = parts.countries();
      return {
        ...parts.sources.totals(),
        requests,
        findings,
        limited,
        blocked,
        violations,
        countries,
        ...parts.more(),
      };
    },
  });
  return async (): Promise<{ readonly contentType: string; readonly text: string }> => ({
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: `${await metrics.render()}${parts.aliases ? guardianAliases(parts) : ''}`,
  });
};
