import { identityOf } from '../../model/index.ts';
import type { Entry } from '../../model/index.ts';
import { identityKey, keysOf, prefixKeysOfAddress } from './keys.ts';
import { readKey } from './door/probe.ts';
import type { KamailioRpc } from './door/rpc.ts';

/** Phones and users that are asked about one by one: an office has hundreds, and each is a question to the server. */
const MAX_ABOUT = 20;

/** The key that an entry has besides those of its address, and what it means there. */
const questionOf = (entry: Entry): readonly (readonly [table: string, key: string, meaning: string])[] => {
  const place = keysOf(entry)?.[0];
  if (place === undefined) return [];
  if (entry.kind === 'good') return [[place.table, place.key, `known-good phone of '${entry.user}'`]];
  if (entry.kind === 'throttle-user')
    return [[place.table, place.key, `user '${entry.user}' throttled to one attempt in ${entry.intervalSeconds} s`]];
  return [];
};

/**
 * What Kamailio's tables say about this canonical address right now, as sentences.
 * @param about its known-good phones and throttled users, of which the first twenty are looked for
 * @throws RpcError
 */
export const readHolds = async (
  rpc: KamailioRpc,
  ip: string,
  about: readonly Entry[] = [],
): Promise<readonly string[]> => {
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
    ...about.slice(0, MAX_ABOUT).flatMap(questionOf),
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
  const held = answers.filter((answer) => answer !== undefined);
  return about.length > MAX_ABOUT
    ? [...held, `${about.length - MAX_ABOUT} more phones or users were not looked for`]
    : held;
};
