import { ENOUGH_POINTS } from '../model/index.ts';
import type { EpochMs, Facts, Finding, Outcome, Request, Verdict } from '../model/index.ts';

/** What a peer is spared, as the operator writes it. */
type Spared = 'rate' | 'scan' | 'passwords' | 'validation';

/** A peer about whose requests companion has a say. */
export interface PeerPolicy {
  readonly name: string;
  readonly skip: 'all' | readonly string[];
  /** More of its requests are dropped. */
  readonly requests_per_second?: number | undefined;
}

/** Notices are for the operator and cost nobody anything. */
const SCOPE: Readonly<Record<Finding['family'], Spared | 'never'>> = {
  flood: 'rate',
  scan: 'scan',
  guess: 'passwords',
  tool: 'validation',
  garbage: 'validation',
  notice: 'never',
};

interface Second {
  at: EpochMs;
  requests: number;
}

export interface PeerGate {
  /** True when the peer is not spared everything: detectors have to look at its events. */
  looksAt(peer: string): boolean;
  /** The verdict on an event of a peer: what it is not spared costs the request, and never the peer. */
  pass(
    peer: string,
    event: Request | Outcome,
    findings: readonly Finding[],
    verdict: Verdict,
    validity?: Facts['validity'],
  ): Verdict;
}

/** Peers are never banned or quarantined: a carrier's address is everybody's behind it. One bad request is dropped. */
export const createPeerGate = (policies: readonly PeerPolicy[]): PeerGate => {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  /** As many as there are peers. */
  const seconds = new Map<string, Second>();

  /** In-dialog requests are calls that stand already: they do not count. */
  const isOverCap = ({ name, requests_per_second: cap }: PeerPolicy, event: Request | Outcome): boolean => {
    if (cap === undefined || event.kind !== 'request' || event.standing === 'in-dialog') return false;
    const at = Math.floor(event.at / 1_000);
    const second = seconds.get(name);
    if (second === undefined || second.at !== at) {
      seconds.set(name, { at, requests: 1 });
      return false;
    }
    second.requests += 1;
    return second.requests > cap;
  };

  return {
    looksAt: (peer) => {
      const policy = byName.get(peer);
      return policy !== undefined && policy.skip !== 'all';
    },
    pass(peer, event, findings, verdict, validity) {
      const policy = byName.get(peer);
      if (policy === undefined) return verdict;
      const { name, skip, requests_per_second: cap } = policy;
      if (isOverCap(policy, event))
        return { ...verdict, answer: 'drop', reason: `peer ${name}: more than ${cap} requests a second` };
      if (skip === 'all' || event.kind !== 'request') return verdict;
      if (!skip.includes('validation') && validity !== undefined && validity.verdict !== 'accept')
        return { ...verdict, answer: 'drop', reason: `peer ${name}: the message breaks the rules`, findings };
      const kept = findings.filter(({ family }) => !skip.includes(SCOPE[family]));
      const bad = kept.find(
        ({ family, points, most }) => points >= ENOUGH_POINTS && SCOPE[family] !== 'never' && most !== 'log',
      );
      return bad === undefined
        ? { ...verdict, findings: kept }
        : { ...verdict, answer: 'drop', reason: `peer ${name}: ${bad.rule}`, findings: kept };
    },
  };
};
