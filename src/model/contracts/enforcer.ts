import type { Entry } from '../entry.ts';
import type { Change } from '../verdict.ts';
import type { NodeStatus } from './operations.ts';

/**
 * Something that acts on the ledger: a Kamailio, later OpenSIPS, nftables. It is told changes at once and reconciles
 * itself towards the ledger in between.
 */
export interface Enforcer {
  readonly name: string;
  /** Queues the changes (bounded; what does not fit is healed by reconciliation and counted). Never throws. */
  apply(changes: readonly Change[]): void;
  /**
   * What it holds for this canonical address right now, as sentences; empty when nothing.
   * @param about entries whose keys the address alone does not tell: its known-good phones and throttled users
   */
  holds(ip: string, about?: readonly Entry[]): Promise<readonly string[]>;
  status(): NodeStatus;
  stop(): Promise<void>;
}
