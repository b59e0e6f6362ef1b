import { Judge, decideSchema } from '../../../src/decide/index.ts';
import { ENOUGH_POINTS } from '../../../src/model/index.ts';
import type { Change, Entry, Facts, Finding, Outcome, Request, Verdict } from '../../../src/model/index.ts';
import { nothingKnown } from '../detect/events.ts';

export { ask, auth, from, nothingKnown, parseError, range, registered, reply, seeded } from '../detect/events.ts';

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
export const ATTACKER = '203.0.113.66';
export const OFFICE = '198.51.100.20';

/** Settings as YAML would give them; the ladder begins at the same rung for every rule unless they say otherwise. */
export const judgeWith = (settings: object = {}): Judge =>
  new Judge(
    decideSchema.parse({ ...('ban_time' in settings ? {} : { ban_times: { enumeration: '1h' } }), ...settings }),
  );

export const factsOf = (part: Partial<Facts> = {}): Facts => ({ ...nothingKnown, ...part });

export const finding = (part: Partial<Finding> = {}): Finding => ({
  rule: 'enumeration.distinct',
  family: 'scan',
  accused: { kind: 'source' },
  tier: 'proven',
  points: ENOUGH_POINTS,
  evidence: '20 names asked for',
  ...part,
});

export const proven = (part: Partial<Finding> = {}): Finding => finding({ tier: 'proven', ...part });
export const spoofable = (part: Partial<Finding> = {}): Finding => finding({ tier: 'spoofable', ...part });
export const accusing = (user: string, part: Partial<Finding> = {}): Finding =>
  finding({ rule: 'digest.wrong-password', family: 'guess', accused: { kind: 'user', user }, ...part });

/** Puts and removals as `+ban 203.0.113.66`, `-quarantine 203.0.113.66`. */
export const told = (changes: readonly Change[]): string[] =>
  changes.map(
    ({ op, entry }) => `${op === 'put' ? '+' : '-'}${entry.kind} ${'subject' in entry ? entry.subject : entry.ip}`,
  );

export const puts = (changes: readonly Change[]): Entry[] =>
  changes.flatMap(({ op, entry }) => (op === 'put' ? [entry] : []));

/** Judges one event with these findings. */
export const judgeOne = (
  judge: Judge,
  event: Request | Outcome,
  findings: readonly Finding[] = [],
  facts: Facts = nothingKnown,
): Verdict => judge.judge(event, facts, findings);
