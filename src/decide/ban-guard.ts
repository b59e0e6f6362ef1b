import type { Facts, Outcome, Request } from '../model/index.ts';
import type { Ledger } from './ledger.ts';
import type { DecideSettings } from './settings.ts';
import type { SourceRecord } from './source-memory.ts';

/** Known-good users behind one address before it can be taken for a proxy. */
const MIN_PROXY_USERS = 5;

/** Who authenticated within this time is still there, known-good or not: phones register at least once an hour. */
const RECENT_SUCCESS_MS = 3_600_000;

/** Why a source is quarantined although the evidence would be enough for a ban. */
export type Spared = 'own-address' | 'private-range' | 'good-users' | 'behind-a-proxy';

/** Whether an address stands for everybody: several users, and a large share of all that is known-good. */
export const carriesMany = (identity: string, ledger: Ledger, proxyShare: number): boolean => {
  const users = new Set<string>();
  let bindings = 0;
  for (const good of ledger.goodOf(identity)) {
    users.add(good.user);
    bindings += 1;
  }
  return users.size >= MIN_PROXY_USERS && bindings >= proxyShare * ledger.count('good');
};

/**
 * The NAT-aware climb's last step: may this whole address be banned? Not the server's own, not private ranges (behind a
 * load balancer they are everybody), not one that carries a large share of all customers, and not one from which
 * customers authenticate: there quarantine does the same to the attacker and nothing to them.
 */
export const sparedFromBan = (
  { source: { identity }, at }: Request | Outcome,
  { lastOkAt }: SourceRecord,
  facts: Facts,
  ledger: Ledger,
  settings: DecideSettings,
): Spared | undefined => {
  if (facts.own) return 'own-address';
  if (carriesMany(identity, ledger, settings.proxy_share)) return 'behind-a-proxy';
  if (facts.privateRange && !settings.ban_private) return 'private-range';
  const users = new Set([...ledger.goodOf(identity)].map(({ user }) => user));
  const recent = lastOkAt !== undefined && at - lastOkAt < RECENT_SUCCESS_MS ? 1 : 0;
  if (Math.max(users.size, recent) > settings.ban_with_good_users) return 'good-users';
  return undefined;
};
