import { field, listOf } from '../door/answer.ts';
import { RpcError } from '../door/rpc.ts';
import type { KamailioRpc } from '../door/rpc.ts';
import { sipAddressOf } from './sip-address.ts';
import type { SipAddress } from './sip-address.ts';

/** A phone that was registered before companion came: where it registered from, and how long that still holds. */
export interface GoodSeed extends SipAddress {
  /** User part of the address of record. */
  readonly user: string;
  readonly expiresSeconds: number;
}

const MAX_CONTACTS = 100_000;
/** For a contact without end ("permanent"). */
const PERMANENT_SECONDS = 86_400;
const NOT_SET = '[not set]';

/** Kamailio writes a number, `permanent`, `expired` or `deleted`. */
const secondsOf = (expires: unknown): number => {
  if (expires === 'permanent') return PERMANENT_SECONDS;
  return typeof expires === 'number' && expires > 0 ? expires : 0;
};

/** `Received` is where the request really came from (nathelper); without NAT only the Contact says it. */
const addressOf = (contact: unknown): SipAddress | undefined => {
  const received = field(contact, 'Received');
  const address = field(contact, 'Address');
  const uri = typeof received === 'string' && received !== NOT_SET && received !== '' ? received : address;
  return typeof uri === 'string' ? sipAddressOf(uri) : undefined;
};

/**
 * The registrar's contacts (`ul.dump`), at most 100 000; without usrloc there are none.
 * @throws RpcError also when the answer is too large for Kamailio's private memory: it then sends nothing
 */
export const readLocations = async (rpc: KamailioRpc): Promise<readonly GoodSeed[]> => {
  let dump: unknown;
  try {
    dump = await rpc.call('ul.dump', [], { slow: true });
  } catch (error) {
    if (error instanceof RpcError && error.failure === 'rpc') return [];
    throw error;
  }
  const seeds: GoodSeed[] = [];
  for (const domain of listOf(field(dump, 'Domains'))) {
    for (const record of listOf(field(field(domain, 'Domain'), 'AoRs'))) {
      const info = field(record, 'Info');
      const aor = field(info, 'AoR');
      if (typeof aor !== 'string') continue;
      const user = aor.split('@', 1)[0] ?? '';
      for (const one of listOf(field(info, 'Contacts'))) {
        const contact = field(one, 'Contact');
        const address = addressOf(contact);
        const expiresSeconds = secondsOf(field(contact, 'Expires'));
        if (address === undefined || expiresSeconds === 0 || user === '') continue;
        if (seeds.length >= MAX_CONTACTS) return seeds;
        seeds.push({ ...address, user, expiresSeconds });
      }
    }
  }
  return seeds;
};
