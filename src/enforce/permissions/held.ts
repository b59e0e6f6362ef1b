import { canonicalIp } from '../../model/index.ts';
import { field, listOf } from '../kamailio/door/answer.ts';
import type { KamailioRpc } from '../kamailio/door/rpc.ts';
import { covers, isSingle, keyOfRow } from './rows.ts';
import type { Groups, Row } from './rows.ts';

/** What Kamailio says that it has loaded: all groups. */
export interface Held {
  readonly rows: readonly Row[];
  /** Entries of its list of networks, which is the one that has an end (max_subnets). */
  readonly networks: number;
}

const rowOf = (item: unknown): Row | undefined => {
  const [group, inner] = [field(item, 'group'), field(item, 'item')];
  const ip = canonicalIp(String(field(inner, 'ip')));
  const mask = field(inner, 'mask') ?? (ip?.includes(':') === true ? 128 : 32);
  if (ip === undefined || typeof group !== 'number' || typeof mask !== 'number') return undefined;
  return { group, ip, mask };
};

/** Whether the module is loaded; asking it otherwise costs an ERROR line in Kamailio's log. @throws RpcError */
export const isLoaded = async (rpc: KamailioRpc): Promise<boolean> =>
  listOf(await rpc.call('core.modules')).includes('permissions');

/** @throws RpcError */
export const readHeld = async (rpc: KamailioRpc): Promise<Held> => {
  const addresses = listOf(await rpc.call('permissions.addressDump', [], { slow: true }));
  const networks = listOf(await rpc.call('permissions.subnetDump', [], { slow: true }));
  const rows = [...addresses, ...networks].map(rowOf).filter((row) => row !== undefined);
  return { rows, networks: networks.length };
};

/** What differs between what should be loaded and what is; `undefined` when nothing does. */
export const differenceOf = (
  wanted: readonly Row[],
  held: Held,
  { allow, deny }: Groups,
  place: string,
): string | undefined => {
  const own = new Set(held.rows.filter(({ group }) => group === allow || group === deny).map(keyOfRow));
  const missing = wanted.filter((row) => !own.has(keyOfRow(row)));
  const extra = own.size - (wanted.length - missing.length);
  if (missing.length === 0 && extra === 0) return undefined;
  const networks = wanted.filter((row) => !isSingle(row)).length;
  if (missing.length > 0 && extra === 0 && missing.every((row) => !isSingle(row)) && held.networks > 0)
    return (
      `Kamailio's list of networks is full (${held.networks}): ${missing.length} of our ${networks} are not in it. ` +
      `It said "Reload OK". Raise modparam("permissions", "max_subnets", …) and restart it.`
    );
  return (
    `Kamailio does not hold what was written to ${place}: ${missing.length} of ${wanted.length} are missing, ` +
    `${extra} are too many. Does it read that place (address_file, which beats db_url)?`
  );
};

/** The most rows that are named for one address. */
const MAX_NAMED = 10;

/** What stands there about this address, as sentences. */
export const sentencesOf = (held: Held, ip: string, { allow, deny }: Groups): readonly string[] =>
  held.rows
    .filter((row) => covers(row, ip))
    .slice(0, MAX_NAMED)
    .map(({ group, ip: network, mask }) => {
      const meaning = group === allow ? 'allowed' : group === deny ? 'denied' : "in a group of the operator's";
      return `${meaning} by permissions: group ${group} holds ${network}/${mask}`;
    });
