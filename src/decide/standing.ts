import { ENOUGH_POINTS } from '../model/index.ts';
import type {
  Answer,
  Barred,
  EpochMs,
  Evidence,
  Facts,
  Finding,
  Outcome,
  Request,
  SourceState,
  Until,
} from '../model/index.ts';
import type { Ledger } from './ledger.ts';
import type { SourceMemory } from './source-memory.ts';

interface Standing {
  readonly state: SourceState;
  readonly reason: string;
}

/** What `why` shows of a source. */
export interface JudgeReport extends Standing {
  readonly since: EpochMs | null;
  readonly until: Until;
  readonly evidence: readonly Evidence[];
  readonly score: { readonly proven: number; readonly spoofable: number };
  readonly users: readonly { readonly user: string; readonly ok: number; readonly failed: number }[];
}

/** The state of a whole source: allow > ban > quarantine > throttle; a blocked country or a feed after what is held. */
const standingOf = (identity: string, list: Facts['list'], ledger: Ledger, given?: Barred): Standing => {
  // a feed knows nothing of the customers behind an address
  const barred = given !== undefined && given.state !== 'denied' && ledger.hasGood(identity) ? undefined : given;
  if (list === 'allow') return { state: 'allowed', reason: 'allow list' };
  if (list === 'deny') return { state: 'denied', reason: 'deny list or banned network' };
  const ban = ledger.ban(identity);
  if (ban !== undefined) return { state: 'banned', reason: ban.reason };
  if (barred !== undefined && barred.state !== 'quarantined') return barred;
  const quarantine = ledger.quarantine(identity);
  if (quarantine !== undefined) return { state: 'quarantined', reason: quarantine.reason };
  if (barred !== undefined) return barred;
  const throttle = ledger.throttle(identity);
  if (throttle !== undefined) return { state: 'throttled', reason: throttle.reason };
  return { state: 'stranger', reason: 'nothing known' };
};

/** The state of the sender of one event: known-good comes right after allow. */
export const stateOf = (
  event: Request | Outcome,
  { list, barred }: Pick<Facts, 'list' | 'barred'>,
  ledger: Ledger,
): Standing => {
  const { ip, port, identity } = event.source;
  const isCustomer = event.kind === 'request' && ledger.hasGood(identity);
  if (list !== 'allow' && isCustomer && ledger.good(ip, port, event.sip.from.user) !== undefined)
    return { state: 'good', reason: 'known-good' };
  return standingOf(identity, list, ledger, barred);
};

/** What the server does with a request of a sender in this state; outcomes are over and pass. */
export const answerTo = (
  event: Request | Outcome,
  state: SourceState,
  findings: readonly Finding[],
  validity: Facts['validity'],
): Answer => {
  if (event.kind !== 'request') return 'allow';
  switch (state) {
    case 'banned':
    case 'denied':
      return 'drop';
    case 'quarantined':
      if (isRefused(validity)) return 'drop';
      if (event.credentials === 'bound') return 'allow';
      // a tool gets silence; a customer behind a forged flood gets the challenge that lets it prove itself
      return findings.some(({ family, points, most }) => family === 'tool' && points >= ENOUGH_POINTS && most !== 'log')
        ? 'drop'
        : 'challenge';
    case 'throttled':
    case 'stranger':
      return isRefused(validity) ? 'drop' : 'allow';
    case 'allowed':
    case 'good':
      return 'allow';
  }
};

/** Silence, not a 400: the server has parsed the message, and a scanner learns nothing of what it is refused for. */
const isRefused = (validity: Facts['validity']): boolean => validity !== undefined && validity.verdict !== 'accept';

/** Evidence of the entry and of the running score, each line once, oldest first. */
export const mergeEvidence = (...lists: readonly (readonly Evidence[])[]): Evidence[] => {
  const unique = new Map<string, Evidence>();
  for (const line of lists.flat()) unique.set(`${line.at} ${line.rule} ${line.tier}`, line);
  return [...unique.values()].sort((a, b) => a.at - b.at);
};

export const reportOf = (
  identity: string,
  list: Facts['list'],
  now: EpochMs,
  ledger: Ledger,
  sources: SourceMemory,
  barred?: Barred,
): JudgeReport => {
  const record = sources.peek(identity);
  const score = record === undefined ? { proven: 0, any: 0 } : sources.score(record, now);
  const held = ledger.ban(identity) ?? ledger.quarantine(identity);
  const entry = held ?? ledger.throttle(identity);
  return {
    ...standingOf(identity, list, ledger, barred),
    since: entry?.since ?? null,
    until: entry?.until ?? null,
    evidence: mergeEvidence(held?.evidence ?? [], record?.evidence ?? []),
    score: { proven: score.proven, spoofable: score.any - score.proven },
    users: [...(record?.users ?? [])].map(([user, count]) => ({ user, ...count })),
  };
};
