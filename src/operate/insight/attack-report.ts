import { placeOfSubject } from './places.ts';
import type { BackgroundOf } from './places.ts';
import { escapeText } from '../../model/index.ts';
import type { AttackReport, AttackSource, AuditLine, Clock, Records } from '../../model/index.ts';

/** Lines of the audit trail that one report reads: what the database hands out at most. */
const MAX_LINES = 10_000;
const MAX_SOURCES = 100;
/** Names of tools that a report tells apart; attackers make them up. */
const MAX_AGENTS = 50;

type Outcome = AttackSource['outcome'];

/** Weakest first. */
export const OUTCOMES: readonly Outcome[] = ['throttle-user', 'throttle', 'quarantine', 'ban'];

/** Last words of the action of a decision that was not enforced: in shadow mode, and of a rule that is only rehearsed. */
export const MODE_REHEARSED = 'rehearsed';
export const RULE_REHEARSED = 'shadow';

const AGENT_MARK = '; agent: ';

/** What the audit trail keeps of a decision: the reason, and the tool that was seen. Read back by the report. */
export const auditDetail = (reason: string, agent: string): string =>
  agent === '' ? reason : `${reason}${AGENT_MARK}${escapeText(agent)}`;

export const readDetail = (detail: string): { readonly rule: string; readonly agent: string } => {
  const mark = detail.indexOf(AGENT_MARK);
  const reason = mark < 0 ? detail : detail.slice(0, mark);
  const agent = mark < 0 ? '' : detail.slice(mark + AGENT_MARK.length);
  return { rule: reason.split(',', 1)[0] ?? '', agent };
};

const outcomeOf = ({ actor, action }: AuditLine): Outcome | undefined =>
  actor === 'detector'
    ? OUTCOMES.find((outcome) => action === `${outcome}.add` || action === `${outcome}.${MODE_REHEARSED}`)
    : undefined;

const add = (counts: Record<string, number>, key: string, most = Number.POSITIVE_INFINITY): void => {
  if (Object.hasOwn(counts, key) || Object.keys(counts).length < most) counts[key] = (counts[key] ?? 0) + 1;
  else counts['others'] = (counts['others'] ?? 0) + 1;
};

type Draft = { -readonly [K in keyof AttackSource]: AttackSource[K] } & { rules: string[] };

/** Attacks of a stretch of time, out of the audit trail: whatever companion decided by itself. */
export const attackReport = async (
  records: Records,
  clock: Clock,
  spanMs: number,
  background: BackgroundOf,
): Promise<AttackReport> => {
  const to = clock.now();
  const trail = await records.decisions(to - spanMs, MAX_LINES);
  const oldest = trail.at(-1)?.at ?? to;
  const cut = trail.length >= MAX_LINES && oldest > to - spanMs;
  const from = cut ? oldest : to - spanMs;
  const sources = new Map<string, Draft>();
  const [rules, agents, outcomes, countries]: Record<string, number>[] = [{}, {}, {}, {}];
  let decisions = 0;
  for (const line of trail) {
    const outcome = outcomeOf(line);
    if (outcome === undefined || line.at < from) continue;
    const { rule, agent } = readDetail(line.detail);
    decisions += 1;
    add(rules!, rule);
    add(outcomes!, outcome);
    if (agent !== '') add(agents!, agent, MAX_AGENTS);
    const known = sources.get(line.subject);
    if (known === undefined) {
      const { subject, at } = line;
      const { place } = placeOfSubject(subject, background);
      if (place !== undefined && place.country !== '') add(countries!, place.country);
      const where = place === undefined ? {} : { place };
      sources.set(subject, { subject, decisions: 1, first: at, last: at, rules: [rule], agent, outcome, ...where });
      continue;
    }
    known.decisions += 1;
    // newest first
    known.first = line.at;
    if (known.agent === '') known.agent = agent;
    if (!known.rules.includes(rule)) known.rules.push(rule);
    if (OUTCOMES.indexOf(outcome) > OUTCOMES.indexOf(known.outcome)) known.outcome = outcome;
  }
  const busiest = [...sources.values()].sort(
    (a, b) => OUTCOMES.indexOf(b.outcome) - OUTCOMES.indexOf(a.outcome) || b.decisions - a.decisions || b.last - a.last,
  );
  return {
    from,
    to,
    decisions,
    sourcesTotal: sources.size,
    sources: busiest.slice(0, MAX_SOURCES),
    rules: rules!,
    agents: agents!,
    outcomes: outcomes!,
    countries: countries!,
    cut,
  };
};
