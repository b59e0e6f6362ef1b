import { canonicalIp, formatCidr, parseCidr } from '../../../model/index.ts';
import { field, listOf } from '../door/answer.ts';
import { RpcError } from '../door/rpc.ts';
import type { KamailioRpc } from '../door/rpc.ts';
import { sipAddressOf } from './sip-address.ts';

/** An address that the server itself is configured to trust or to send to. */
export interface Peer {
  /** Canonical address; for a network of `permissions` a CIDR. */
  readonly ip: string;
  readonly source: 'dispatcher' | 'permissions';
}

const MAX_PEERS = 10_000;

/** A module that is not loaded, or a method that the door does not let in, has no peers. */
const ask = async (rpc: KamailioRpc, method: string): Promise<unknown> => {
  try {
    return await rpc.call(method, [], { slow: true });
  } catch (error) {
    if (error instanceof RpcError && (error.failure === 'rpc' || error.failure === 'refused')) return undefined;
    throw error;
  }
};

const dispatcherIps = (answer: unknown): (string | undefined)[] =>
  listOf(field(answer, 'RECORDS')).flatMap((record) =>
    listOf(field(field(record, 'SET'), 'TARGETS')).map((target) => {
      const uri = field(field(target, 'DEST'), 'URI');
      return typeof uri === 'string' ? sipAddressOf(uri)?.ip : undefined;
    }),
  );

/** `addressDump` has single addresses, `subnetDump` networks with their mask. */
const permissionsIps = (answer: unknown): (string | undefined)[] =>
  listOf(answer).map((row) => {
    const item = field(row, 'item');
    const ip = canonicalIp(String(field(item, 'ip')));
    const mask = field(item, 'mask');
    if (ip === undefined || typeof mask !== 'number') return ip;
    return mask > 0 && mask <= (ip.includes(':') ? 128 : 32) ? formatCidr(parseCidr(`${ip}/${mask}`)) : undefined;
  });

/**
 * Whom the server already knows: dispatcher targets and permissions addresses, without duplicates. Modules that are not
 * loaded are not asked: each such question costs an ERROR line in Kamailio's log. @throws RpcError
 */
export const readPeers = async (rpc: KamailioRpc): Promise<readonly Peer[]> => {
  const loaded = listOf(await ask(rpc, 'core.modules'));
  const [targets, addresses, nets] = await Promise.all(
    ['dispatcher.list', 'permissions.addressDump', 'permissions.subnetDump'].map(async (method) =>
      loaded.length === 0 || loaded.includes(method.slice(0, method.indexOf('.'))) ? ask(rpc, method) : undefined,
    ),
  );
  const peers = new Map<string, Peer>();
  const add = (ips: readonly (string | undefined)[], source: Peer['source']): void => {
    for (const ip of ips)
      if (ip !== undefined && peers.size < MAX_PEERS && !peers.has(ip)) peers.set(ip, { ip, source });
  };
  add(dispatcherIps(targets), 'dispatcher');
  add(permissionsIps(addresses), 'permissions');
  add(permissionsIps(nets), 'permissions');
  return [...peers.values()];
};
