/**
 * What acts on the ledger. In: changes of what should be enforced, and the whole ledger to compare with. Out: the
 * server's own tables follow it. Knows nothing of rules and scores, never answers a request, never deletes what it did
 * not write itself. A server that is away is no error: its tables stay as they were, and are mended on return.
 */
export { createKamailioEnforcer } from './kamailio/enforcer.ts';
export type { EnforcerLog, KamailioEnforcer, KamailioEnforcerOptions } from './kamailio/enforcer.ts';
export type { ForeignKey } from './kamailio/foreign.ts';
export { readLocations } from './kamailio/seed/location.ts';
export type { GoodSeed } from './kamailio/seed/location.ts';
export { readPeers } from './kamailio/seed/peers.ts';
export type { Peer } from './kamailio/seed/peers.ts';
export { createNodes } from './nodes.ts';
export { withPermissions } from './permissions/beside.ts';
export type { KamailioRpc } from './kamailio/door/rpc.ts';
