import type { Figures } from '../../model/index.ts';

/** What the aliases tell, beside the figures. */
export interface AliasSources {
  readonly figures: () => Figures;
  readonly activeBans: () => number;
  readonly enumerationSources: () => number;
  /** Requests dropped for their country. */
  readonly countries: () => Readonly<Record<string, number>>;
}

type Samples = readonly (readonly [labels: string, value: number])[];

const MAX_LABEL_CHARS = 48;
const label = (name: string, value: string): string =>
  `{${name}="${value.replaceAll(/[^A-Za-z0-9_.:-]/g, '_').slice(0, MAX_LABEL_CHARS)}"}`;

const labelled = (name: string, counts: Readonly<Record<string, number>>): Samples =>
  Object.entries(counts).map(([value, count]) => [label(name, value), count] as const);

const family = (rules: Readonly<Record<string, number>>, head: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(rules)
      .filter(([rule]) => rule.startsWith(`${head}.`))
      .map(([rule, count]) => [rule.slice(head.length + 1), count]),
  );

const metric = (name: string, type: 'counter' | 'gauge', help: string, samples: Samples): string => {
  const full = `sip_guardian_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${labels} ${value}`);
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines].join('\n');
};

const histogram = ({ upTo, sum, count }: Figures['sizes']): string => {
  const full = 'sip_guardian_message_size_bytes';
  return [
    `# HELP ${full} Sizes of requests.`,
    `# TYPE ${full} histogram`,
    ...upTo.map(([bound, below]) => `${full}_bucket{le="${bound}"} ${below}`),
    `${full}_bucket{le="+Inf"} ${count}`,
    `${full}_sum ${sum}`,
    `${full}_count ${count}`,
  ].join('\n');
};

/** The same numbers under the names of SIP Guardian, for dashboards and alerts that know those. */
export const guardianAliases = ({ figures, activeBans, enumerationSources, countries }: AliasSources): string => {
  const now = figures();
  const results = { valid: now.validated.valid, invalid: now.validated.invalid + now.parseErrors };
  return `${[
    metric('requests_total', 'counter', 'Requests by method.', labelled('method', now.methods)),
    metric('blocked_total', 'counter', 'Requests dropped or challenged, by state.', labelled('reason', now.blocked)),
    metric('active_bans', 'gauge', 'Bans that stand.', [['', activeBans()]]),
    metric('rate_limited_total', 'counter', 'Requests over a limit, by method.', labelled('method', now.limited)),
    metric(
      'enumeration_detections_total',
      'counter',
      'Findings of enumeration, by rule.',
      labelled('reason', family(now.rules, 'enumeration')),
    ),
    metric('enumeration_tracked_ips', 'gauge', 'Sources watched for enumeration.', [['', enumerationSources()]]),
    metric(
      'validation_violations_total',
      'counter',
      'Broken rules of the standard, and what is not SIP, by rule.',
      labelled('rule', { ...family(now.rules, 'garbage'), ...now.validated.violations }),
    ),
    metric('validation_results_total', 'counter', 'Messages by result.', labelled('result', results)),
    metric('geoip_blocked_total', 'counter', 'Requests dropped for their country.', labelled('country', countries())),
    histogram(now.sizes),
  ].join('\n')}\n`;
};
