/**
 * Findings in, verdicts out: scores, proof tiers, precedence of states, the NAT-aware climb, the ladder, the ledger.
 * Pure and synchronous given its memory and the time in each event. Never knows that Kamailio, SQLite or HTTP exist.
 */
export { carriesMany } from './ban-guard.ts';
export { Ledger } from './ledger.ts';
export { createPeerGate, type PeerPolicy } from './peer-gate.ts';
export type { DoubtKind } from './false-alarms.ts';
export { Judge } from './judge.ts';
export { ShadowJudge } from './shadow.ts';
export { mergeEvidence, type JudgeReport } from './standing.ts';
export { stopExploit } from './virtual-patch.ts';
export { decideSchema, type DecideSettings } from './settings.ts';
