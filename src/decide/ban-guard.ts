import type { Facts } from '../model/index.ts';
import type { Ledger } from './ledger.ts';
import type { DecideSettings } from './settings.ts';

/** Known-good users behind one address before it can be taken for a proxy. */
const MIN_PROXY_USERS = 5;

/** Why a source is quarantined although the evidence would be enough for a ban. */
export type Spared = 'own-address' | 'private-range' | 'good-users' | 'behind-a-proxy';

/**
 * The NAT-aware climb's last step: may this whole address be banned? Not the server's own, not private ranges (behind a
 * load balancer they are everybody), not one that carries a large share of all customers, and not one from which
 * customers authenticate: there quarantine does the same to the attacker and nothing to them.
 */
export const sparedFromBan = (
  identity: string,
  facts: Facts,
  ledger: Ledger,
  settings: DecideSettings,
): Spared | undefined => {
  if (facts.own) return 'own-address';
  const users = new Set<string>();
  let bindings = 0;
  for (const good of ledger.goodOf(identity)) {
    users.add(good.user);
    bindings += 1;
  }
  if (users.size >= MIN_PROXY_USERS && bindings >= settings.proxy_share * ledger.count('good')) return 'behind-a-proxy';
  if (facts.privateRange && !settings.ban_private) return 'private-range';
  if (users.size > settings.ban_with_good_users) return 'good-users';
  return undefined;
};
