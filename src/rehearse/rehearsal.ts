import { createJudging } from '../judging/index.ts';
import type { CompanionConfig, Judging } from '../judging/index.ts';
import { provenTransport } from '../model/index.ts';
import type { Change, EpochMs, Outcome, Request, Source, SourceState, Verdict } from '../model/index.ts';
import { applyConfiguredLists } from '../operate/index.ts';
import type { Received } from './arrival.ts';
import { AwaitedAcks } from './awaited-acks.ts';
import { SERVER_LIMITS, createGate } from './gate.ts';

/** What became of a request: only what is served has outcomes. */
export type Handling = 'served' | 'challenged' | 'unanswered' | 'dropped' | 'blocked';

export interface Rehearsal {
  /** @returns also the verdict, when companion heard of the request */
  request(arrival: Received): { readonly handling: Handling; readonly verdict: Verdict | undefined };
  outcome(outcome: Outcome): Verdict;
  /** The server challenged or refused a call that was served: where it is a stranger's, its ACK is awaited. */
  refused(at: EpochMs, callId: string): void;
  /** An ACK that the server absorbed. Those that are requests to it are seen by `request`. */
  acknowledged(at: EpochMs, callId: string): void;
  /** The address as it is held now. */
  stateOf(ip: string, identity: string): SourceState;
  readonly judging: Judging;
}

/** As often as the service takes out what has ended. */
const EXPIRE_EVERY_MS = 500;

/** The same numbers in every run (xorshift32). */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
};

/** Told of what the server notices by itself, when time has passed. */
type Late = (outcome: Outcome, verdict: Verdict) => void;

/**
 * Server and companion under one policy, without either: requests meet the server's tables, then companion's judgement,
 * and what follows from it is in the tables for the next one. Its clock is the events' own and only goes forward.
 */
export const createRehearsal = (
  config: CompanionConfig,
  servers: readonly string[],
  late: Late = () => undefined,
): Rehearsal => {
  const judging = createJudging(config, servers);
  const { judge, lists } = judging;
  const { ledger } = judge;
  const gate = createGate(ledger, seeded(20_261_120));
  const acks = new AwaitedAcks(SERVER_LIMITS.callsPerSecond);
  let nextExpiry = -Infinity;
  let started = false;

  const apply = (changes: readonly Change[]): void => {
    for (const change of changes) lists.apply(change);
  };
  const advance = (at: EpochMs): void => {
    if (at < nextExpiry) return;
    if (!started) apply(applyConfiguredLists(ledger, config, at));
    started = true;
    apply(judge.expire(at));
    nextExpiry = at + EXPIRE_EVERY_MS;
    for (const { source, callId, acked } of acks.overdue(at)) {
      if (!isWatched(source)) continue;
      const tier = provenTransport(source.transport) ? ('proven' as const) : ('spoofable' as const);
      const type = 'unacknowledged' as const;
      const outcome: Outcome = { kind: 'outcome', type, at, node: 'capture', source, tier, callId, acked };
      late(outcome, judged(outcome));
    }
  };
  /** ACKs of who is held do not get through, and who has authenticated since is no stranger. */
  const isWatched = ({ ip, port, identity }: Source): boolean => {
    if (ledger.ban(identity) !== undefined || ledger.quarantine(identity) !== undefined) return false;
    if (!ledger.hasGood(identity)) return true;
    return ![...ledger.goodOf(identity)].some((good) => good.ip === ip && good.port === port);
  };
  const judged = (event: Request | Outcome): Verdict => {
    const verdict = judging.judged(event);
    if (verdict.changes.length > 0) apply(verdict.changes);
    return verdict;
  };

  return {
    judging,
    request(arrival) {
      advance(arrival.at);
      const met = gate(arrival, lists.verdict(arrival.source.ip));
      const { at, source, sip, sizeBytes, cut } = arrival;
      if (met.kind !== 'blocked' && sip.method === 'ACK') acks.acknowledged(at, sip.callId);
      if (met.kind !== 'tell' && met.kind !== 'ask') return { handling: met.kind, verdict: undefined };
      const isCall = met.kind === 'ask' && sip.method === 'INVITE';
      if (isCall && arrival.credentials === 'bound') acks.heard(at, sip.callId);
      const standing = met.kind === 'ask' ? 'stranger' : met.standing;
      // the server does not look at the credentials of whoever it knows
      const known = standing === 'good' || standing === 'in-dialog';
      const credentials = known ? 'none' : arrival.credentials;
      const tier = known && source.transport === 'udp' ? 'spoofable' : arrival.tier;
      const base = { kind: 'request' as const, at, node: 'capture', source, sip, sizeBytes, cut };
      // as the door does: what is only told has passed already
      const inspected = met.kind === 'ask' ? arrival.inspect?.() : undefined;
      const verdict = judged({ ...base, tier, credentials, standing, ...inspected });
      if (met.kind === 'tell') return { handling: met.does, verdict };
      const answers = { allow: 'served', drop: 'dropped', challenge: 'challenged' } as const;
      if (isCall && verdict.answer === 'allow') acks.call(sip.callId, source);
      return { handling: answers[verdict.answer], verdict };
    },
    outcome(outcome) {
      advance(outcome.at);
      return judged(outcome);
    },
    refused: (at, callId) => {
      acks.refused(at, callId);
    },
    acknowledged: (at, callId) => {
      acks.acknowledged(at, callId);
    },
    stateOf(ip, identity) {
      const list = lists.verdict(ip);
      if (list === 'allow') return 'allowed';
      if (list === 'deny') return 'denied';
      if (ledger.ban(identity) !== undefined) return 'banned';
      if (ledger.quarantine(identity) !== undefined) return 'quarantined';
      if (ledger.throttle(identity) !== undefined) return 'throttled';
      if (ledger.hasGood(identity)) for (const good of ledger.goodOf(identity)) if (good.ip === ip) return 'good';
      return 'stranger';
    },
  };
};
