import type { Facts, Finding, Outcome, Request, RuleAction } from '../model/index.ts';

interface Table {
  readonly size: number;
  readonly evicted: number;
}

interface Detecting {
  detect(event: Request | Outcome, facts: Facts): readonly Finding[];
  tables(): Readonly<Record<string, Table>>;
}

type Section = Readonly<Record<string, unknown>> & { readonly enabled: boolean };

/** Settings that these detectors read each time: they are swapped in place. What is not named here builds anew. */
const READ_AT_USE: Readonly<Record<string, RegExp>> = {
  enumeration: /^(?!enabled$|exempt$|max_)/,
  digest_guessing: /^(?!enabled$|max_)/,
  distributed_scan: /^(?!enabled$|max_)/,
  stale_device: /^(?!enabled$|max_)/,
  scanner_never_acks: /^(?!enabled$|max_)/,
};

/** Rules that an operator silenced, gave another weight, bounded in what they lead to, or only rehearses. */
export type RuleSettings = Readonly<Partial<Record<string, RuleSetting | undefined>>>;

type RuleSetting =
  | 'off'
  | {
      readonly points?: number | undefined;
      readonly action?: RuleAction | undefined;
      readonly shadow?: boolean | undefined;
    };

const weighed = (findings: readonly Finding[], rules: RuleSettings): readonly Finding[] =>
  findings.flatMap((finding) => {
    const setting = rules[finding.rule];
    if (setting === undefined) return [finding];
    if (setting === 'off') return [];
    const { points = finding.points, action, shadow } = setting;
    return [{ ...finding, points, most: action, shadow }];
  });

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The detectors, with settings that can be swapped while they run. A detector whose changed settings are not read at use
 * is built anew: it forgets the last minutes; scores, bans and customers are not its own and stay.
 */
export const createLiveDetectors = <C extends Readonly<Record<keyof C, Section>>>(
  config: C,
  create: (config: C) => Detecting,
  ruleSettings: RuleSettings = {},
): Detecting & { swap(next: C, rules?: RuleSettings): void } => {
  let rules = ruleSettings;
  const names = Object.keys(config) as (keyof C & string)[];
  const off = Object.fromEntries(names.map((name) => [name, { ...config[name], enabled: false }]));
  const build = (name: keyof C & string, section: Section) => {
    const settings: Record<string, unknown> = { ...section };
    return { settings, detector: create({ ...off, [name]: settings } as unknown as C) };
  };
  const parts = new Map(names.map((name) => [name, build(name, config[name])]));
  const enabled = () =>
    [...parts.values()].flatMap(({ settings, detector }) => (settings['enabled'] === true ? [detector] : []));
  let running = enabled();
  return {
    detect: (event, facts) => {
      const findings: Finding[] = [];
      for (const detector of running) {
        const found = detector.detect(event, facts);
        if (found.length > 0) findings.push(...found);
      }
      return findings.length === 0 ? findings : weighed(findings, rules);
    },
    tables: () => Object.assign({}, ...running.map((detector) => detector.tables())) as Record<string, Table>,
    swap(next, nextRules = rules) {
      rules = nextRules;
      for (const [name, part] of parts) {
        const changed = Object.entries(next[name]).filter(([key, value]) => !same(value, part.settings[key]));
        if (changed.length === 0) continue;
        const live = READ_AT_USE[name];
        if (live !== undefined && changed.every(([key]) => live.test(key))) Object.assign(part.settings, next[name]);
        else parts.set(name, build(name, next[name]));
      }
      running = enabled();
    },
  };
};
