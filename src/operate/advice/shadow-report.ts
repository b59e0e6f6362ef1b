import type { AuditLine, Clock, EpochMs, Records, ShadowReport, ShadowSource } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import { MODE_REHEARSED, OUTCOMES, RULE_REHEARSED, readDetail } from '../insight/attack-report.ts';

/** Lines of the audit trail that one report reads: what the database hands out at most. */
const MAX_LINES = 10_000;
const MAX_SOURCES = 100;

type Draft = { -readonly [K in keyof ShadowSource]: ShadowSource[K] } & { rules: string[] };
interface RuleDraft {
  decisions: number;
  readonly sources: Set<string>;
}

const rehearsedOf = ({ action }: AuditLine): Pick<ShadowSource, 'outcome' | 'by'> | undefined => {
  const [kind, how] = action.split('.', 2);
  const outcome = OUTCOMES.find((one) => one === kind);
  if (outcome === undefined || (how !== MODE_REHEARSED && how !== RULE_REHEARSED)) return undefined;
  return { outcome, by: how === MODE_REHEARSED ? 'mode' : 'rule' };
};

/** Whether customers were there before the first of these decisions, or came after it. */
const customersOf = (
  { ledger, falseAlarms, sources }: Judge,
  { subject, first }: Pick<ShadowSource, 'subject' | 'first'>,
  now: EpochMs,
): ShadowSource['customers'] => {
  const known = falseAlarms.customerSince(subject);
  let since = known ?? Number.POSITIVE_INFINITY;
  for (const good of ledger.goodOf(subject)) since = Math.min(since, good.since);
  if (since < first) return 'before';
  const alarm = falseAlarms.of(subject, now);
  if (alarm !== undefined) return alarm.how === 'registered-before' ? 'before' : 'since';
  // the second to within an hour, and also from before a restart
  const last = Math.max(sources.peek(subject)?.lastOkAt ?? 0, falseAlarms.customer(subject)?.seen ?? 0);
  return ledger.hasGood(subject) || last > first ? 'since' : 'none';
};

/** Who would have been hit while nothing, or not these rules, was enforced, and who of them is a customer. */
export const shadowReport = async (
  records: Records,
  judge: Judge,
  clock: Clock,
  mode: 'shadow' | 'enforce',
  spanMs: number,
): Promise<ShadowReport> => {
  const to = clock.now();
  const trail = await records.decisions(to - spanMs, MAX_LINES);
  const oldest = trail.at(-1)?.at ?? to;
  const cut = trail.length >= MAX_LINES && oldest > to - spanMs;
  const from = cut ? oldest : to - spanMs;
  const sources = new Map<string, Draft>();
  const rules = new Map<string, RuleDraft>();
  let decisions = 0;
  for (const line of trail) {
    const rehearsed = rehearsedOf(line);
    if (rehearsed === undefined || line.at < from) continue;
    const { subject, at } = line;
    const { rule } = readDetail(line.detail);
    decisions += 1;
    const ofRule = rules.get(rule) ?? { decisions: 0, sources: new Set() };
    ofRule.decisions += 1;
    ofRule.sources.add(subject);
    rules.set(rule, ofRule);
    const known = sources.get(subject);
    if (known === undefined) {
      sources.set(subject, {
        subject,
        ...rehearsed,
        decisions: 1,
        first: at,
        last: at,
        rules: [rule],
        customers: 'none',
      });
      continue;
    }
    known.decisions += 1;
    // newest first
    known.first = at;
    if (!known.rules.includes(rule)) known.rules.push(rule);
    if (OUTCOMES.indexOf(rehearsed.outcome) > OUTCOMES.indexOf(known.outcome)) known.outcome = rehearsed.outcome;
  }
  const customers = new Set<string>();
  for (const source of sources.values()) {
    source.customers = customersOf(judge, source, to);
    if (source.customers !== 'none') customers.add(source.subject);
  }
  // what may be wrong comes first
  const sorted = [...sources.values()].sort(
    (a, b) =>
      Number(customers.has(b.subject)) - Number(customers.has(a.subject)) ||
      OUTCOMES.indexOf(b.outcome) - OUTCOMES.indexOf(a.outcome) ||
      b.decisions - a.decisions ||
      b.last - a.last,
  );
  return {
    from,
    to,
    mode,
    decisions,
    sourcesTotal: sources.size,
    suspected: customers.size,
    sources: sorted.slice(0, MAX_SOURCES),
    rules: Object.fromEntries(
      [...rules].map(([rule, { decisions: count, sources: hit }]) => [
        rule,
        { decisions: count, sources: hit.size, suspected: [...hit].filter((subject) => customers.has(subject)).length },
      ]),
    ),
    cut,
  };
};
