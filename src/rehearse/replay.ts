import type { CompanionConfig } from '../judging/index.ts';
import type { Source, SourceState, Verdict } from '../model/index.ts';
import type { Arrival, Exchange, ReplyArrival } from './arrival.ts';
import { createRehearsal } from './rehearsal.ts';
import type { Handling, Rehearsal } from './rehearsal.ts';

/** Sources that are told apart; messages of further ones are judged all the same, and counted together. */
const MAX_SOURCES = 500_000;
/** There are not many more rules than that. */
const MAX_RULES = 64;

/** What would have happened to one address. */
export interface SourceRow {
  readonly ip: string;
  readonly messages: number;
  /** How many of its messages had been seen when it was first quarantined or banned. */
  readonly flaggedAt: number | null;
  /** After its last message, or the last reply to it. */
  readonly state: SourceState;
  readonly rules: readonly string[];
}

export interface ReplayTotals {
  readonly messages: number;
  readonly requests: number;
  readonly outcomes: number;
  readonly sources: number;
  readonly flagged: number;
  /** What the server would have done with the requests. */
  readonly handled: Readonly<Record<Handling, number>>;
  /** Messages of sources beyond the cap of the table. */
  readonly untold: number;
}

export interface Replay {
  take(arrival: Arrival): void;
  rows(): SourceRow[];
  totals(): ReplayTotals;
}

interface Tally {
  messages: number;
  flaggedAt: number | null;
  state: SourceState;
  readonly rules: Set<string>;
}

const isHeld = (state: SourceState): boolean => state === 'quarantined' || state === 'banned' || state === 'denied';

/** Judges a capture under one policy. */
export const createReplay = (config: CompanionConfig, servers: readonly string[]): Replay => {
  const rehearsal: Rehearsal = createRehearsal(config, servers, ({ source }, verdict) => {
    outcomes += 1;
    note(source, tallies.get(source.ip), verdict);
  });
  const { ledger } = rehearsal.judging.judge;
  const tallies = new Map<string, Tally>();
  /** Requests that would not have reached the server's users: what the server answered to them is no outcome. */
  const held = new WeakSet<Exchange>();
  const handled: Record<Handling, number> = { served: 0, challenged: 0, unanswered: 0, dropped: 0, blocked: 0 };
  let messages = 0;
  let requests = 0;
  let outcomes = 0;
  let untold = 0;

  const tallyOf = ({ ip }: Source): Tally | undefined => {
    const known = tallies.get(ip);
    if (known !== undefined || tallies.size >= MAX_SOURCES) return known;
    const tally: Tally = { messages: 0, flaggedAt: null, state: 'stranger', rules: new Set() };
    tallies.set(ip, tally);
    return tally;
  };

  const note = ({ ip, identity }: Source, tally: Tally | undefined, verdict: Verdict | undefined): void => {
    if (tally === undefined) return;
    if (verdict !== undefined)
      for (const { rule } of verdict.findings) if (tally.rules.size < MAX_RULES) tally.rules.add(rule);
    // the verdict knows it; asking again costs as much as reading a message
    if (verdict === undefined) tally.state = rehearsal.stateOf(ip, identity);
    else if (verdict.state !== 'stranger' || !ledger.hasGood(identity)) tally.state = verdict.state;
    else tally.state = identity === ip ? 'good' : rehearsal.stateOf(ip, identity);
    // also where a customer behind it goes on being served: the address is held
    if (tally.flaggedAt === null && (isHeld(tally.state) || ledger.quarantine(identity) !== undefined))
      tally.flaggedAt = tally.messages;
  };

  const takeReply = ({ at, exchange, outcomes: told, wantsAck }: ReplyArrival): void => {
    if (held.has(exchange)) return;
    const { source } = exchange;
    const tally = tallies.get(source.ip);
    for (const outcome of told) {
      outcomes += 1;
      note(source, tally, rehearsal.outcome(outcome));
    }
    if (wantsAck) rehearsal.refused(at, exchange.callId);
  };

  return {
    take(arrival) {
      if (arrival.kind === 'reply') return takeReply(arrival);
      if (arrival.kind === 'request' && arrival.presupposes !== undefined) takeReply(arrival.presupposes);
      const { source } = arrival;
      const tally = tallyOf(source);
      messages += 1;
      if (tally === undefined) untold += 1;
      else tally.messages += 1;
      if (arrival.kind === 'other') {
        if (arrival.outcome !== undefined) outcomes += 1;
        return note(source, tally, arrival.outcome && rehearsal.outcome(arrival.outcome));
      }
      requests += 1;
      // absorbed by the transaction of the first one, if that has one
      const { exchange } = arrival;
      if (arrival.copy && !held.has(exchange)) {
        handled.served += 1;
        return note(source, tally, undefined);
      }
      const { handling, verdict } = rehearsal.request(arrival);
      handled[handling] += 1;
      if (handling === 'served') held.delete(exchange);
      else held.add(exchange);
      note(source, tally, verdict);
    },
    rows: () =>
      [...tallies].map(([ip, { messages: sent, flaggedAt, state, rules }]) => ({
        ip,
        messages: sent,
        flaggedAt,
        state,
        rules: [...rules],
      })),
    totals: () => ({
      messages,
      requests,
      outcomes,
      sources: tallies.size,
      flagged: [...tallies.values()].filter(({ flaggedAt }) => flaggedAt !== null).length,
      handled,
      untold,
    }),
  };
};
