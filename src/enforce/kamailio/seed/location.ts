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
const LOOKUPS_AT_ONCE = 16;
/** For a contact without end ("permanent"). */
const PERMANENT_SECONDS = 86_400;

/** Kamailio writes a number, `permanent`, `expired` or `deleted`. */
const secondsOf = (expires: unknown): number => {
  if (expires === 'permanent') return PERMANENT_SECONDS;
  return typeof expires === 'number' && expires > 0 ? expires : 0;
};

/**
 * `Received` is where the request really came from (nathelper). The Contact is the customer's text and may name anybody's
 * address: who has only that becomes known-good with its next registration.
 */
const addressOf = (contact: unknown): SipAddress | undefined => {
  const received = field(contact, 'Received');
  return typeof received === 'string' ? sipAddressOf(received) : undefined;
};

/** Contacts of one address of record, as `ul.dump` and `ul.lookup` both show it. */
const seedsOf = (info: unknown): GoodSeed[] => {
  const aor = field(info, 'AoR');
  const user = typeof aor === 'string' ? (aor.split('@', 1)[0] ?? '') : '';
  if (user === '') return [];
  return listOf(field(info, 'Contacts')).flatMap((one) => {
    const contact = field(one, 'Contact');
    const address = addressOf(contact);
    const expiresSeconds = secondsOf(field(contact, 'Expires'));
    return address === undefined || expiresSeconds === 0 ? [] : [{ ...address, user, expiresSeconds }];
  });
};

/** Calls `visit` for each address of record of each domain, while it says so. */
const eachRecord = (dump: unknown, visit: (domain: string, record: unknown) => boolean): void => {
  for (const one of listOf(field(dump, 'Domains'))) {
    const domain = field(one, 'Domain');
    const name = String(field(domain, 'Domain'));
    for (const record of listOf(field(domain, 'AoRs'))) if (!visit(name, record)) return;
  }
};

/** Name by name, when the whole does not fit into Kamailio's private memory (8 MB: 5000 contacts fit, 8000 do not). */
const lookUpEach = async (rpc: KamailioRpc): Promise<readonly GoodSeed[]> => {
  const names: [domain: string, aor: string][] = [];
  eachRecord(await rpc.call('ul.dump', ['brief'], { slow: true }), (domain, record) => {
    const aor = field(record, 'AoR');
    if (typeof aor === 'string') names.push([domain, aor]);
    return names.length < MAX_CONTACTS;
  });
  const seeds: GoodSeed[] = [];
  const worker = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined && seeds.length < MAX_CONTACTS; name = names.pop()) {
      try {
        seeds.push(...seedsOf(await rpc.call('ul.lookup', name)));
      } catch (error) {
        // It may have gone since.
        if (!(error instanceof RpcError) || error.failure !== 'rpc') throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: LOOKUPS_AT_ONCE }, worker));
  return seeds;
};

/**
 * The registrar's contacts (`ul.dump`), at most 100 000; without usrloc there are none.
 * @throws RpcError
 */
export const readLocations = async (rpc: KamailioRpc): Promise<readonly GoodSeed[]> => {
  let dump: unknown;
  try {
    dump = await rpc.call('ul.dump', [], { slow: true });
  } catch (error) {
    if (error instanceof RpcError && error.failure === 'rpc') return [];
    if (error instanceof RpcError && error.failure !== 'refused') return lookUpEach(rpc);
    throw error;
  }
  const seeds: GoodSeed[] = [];
  eachRecord(dump, (_domain, record) => {
    seeds.push(...seedsOf(field(record, 'Info')));
    return seeds.length < MAX_CONTACTS;
  });
  return seeds;
};
