import { identityOf } from '../../model/index.ts';
import { identityKey, prefixKeysOfAddress } from './keys.ts';
import { readKey } from './door/probe.ts';
import type { KamailioRpc } from './door/rpc.ts';

/** What Kamailio's tables say about this canonical address right now, as sentences. @throws RpcError */
export const readHolds = async (rpc: KamailioRpc, ip: string): Promise<readonly string[]> => {
  const identity = identityKey(identityOf(ip));
  const nets = prefixKeysOfAddress(ip);
  const questions: readonly (readonly [table: string, key: string, meaning: string])[] = [
    ...nets.map((net) => ['companion_net', `a${net}`, 'allowed by network'] as const),
    ...nets.map((net) => ['companion_net', `d${net}`, 'denied by network'] as const),
    ['ipban', identity, 'banned'],
    // A ban that somebody else wrote for an IPv6 address stands under the address itself.
    ...(identity === ip ? [] : [['ipban', ip, 'banned'] as const]),
    ['companion_state', `q${identity}`, 'quarantined'],
    ['companion_state', `t${identity}`, 'throttled'],
  ];
  const answers = await Promise.all(
    questions.map(async ([table, key, meaning]) => {
      const held = await readKey(rpc, table, key);
      if (held === undefined) return undefined;
      const end =
        held.expire === 'NEVER' || held.expire === '' ? 'without end' : `until ${held.expire} (server's time)`;
      return `${meaning}: ${table} holds ${key} = ${JSON.stringify(held.value)} ${end}`;
    }),
  );
  return answers.filter((answer) => answer !== undefined);
};
