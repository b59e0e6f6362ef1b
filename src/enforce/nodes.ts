import type { Clock, Entry } from '../model/index.ts';
import { createKamailioEnforcer } from './kamailio/enforcer.ts';
import type { EnforcerLog, KamailioEnforcer } from './kamailio/enforcer.ts';
import type { ForeignKey } from './kamailio/foreign.ts';
import { readLocations } from './kamailio/seed/location.ts';
import type { GoodSeed } from './kamailio/seed/location.ts';
import { readPeers } from './kamailio/seed/peers.ts';
import { withPermissions } from './permissions/beside.ts';

export interface NodesParts {
  readonly nodes: readonly { readonly name: string; readonly rpc: string; readonly token: string }[];
  readonly permissions: Parameters<typeof withPermissions>[1];
  readonly clock: Clock;
  readonly log: EnforcerLog;
  /** Shadow mode: who is known-good or allowed is pushed, nothing else. */
  readonly mode: 'enforce' | 'shadow';
  readonly entries: (...kinds: readonly Entry['kind'][]) => Iterable<Entry>;
  /** Told what a server holds already. */
  readonly adoption: () => {
    bindings(node: string, bindings: readonly GoodSeed[]): void;
    dispatcher(node: string, ips: readonly string[]): void;
    foreign(node: string, found: readonly ForeignKey[]): void;
    expired(node: string, table: string, key: string): void;
  };
}

/** One enforcer for each server of the configuration. */
export const createNodes = (parts: NodesParts): KamailioEnforcer[] => {
  const { clock, log, mode, entries, adoption } = parts;
  return parts.nodes.map(({ name, rpc: rpcUrl, token }) => {
    const server = createKamailioEnforcer({
      name,
      rpcUrl,
      token,
      clock,
      log,
      desired: () => (mode === 'enforce' ? entries() : entries('good', 'allow')),
      // customers first: whoever is registered there is known-good before any ban is pushed
      beforeFirstPush: async (rpc) => {
        adoption().bindings(name, await readLocations(rpc));
        const peers = (await readPeers(rpc)).filter(({ source }) => source === 'dispatcher').map(({ ip }) => ip);
        adoption().dispatcher(name, peers);
      },
      onForeign: (found) => adoption().foreign(name, found),
      onForeignGone: (keys) => {
        for (const key of keys) adoption().expired(name, 'ipban', key);
      },
    });
    return withPermissions(server, parts.permissions, {
      clock,
      log,
      desired: () => entries('allow', ...(mode === 'enforce' ? (['deny'] as const) : [])),
    });
  });
};
