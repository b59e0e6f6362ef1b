import { canonicalIp, formatCidr, parseCidr } from '../../model/index.ts';
import type { Entry } from '../../model/index.ts';

/** Group ids of the permissions module that belong to companion alone. */
export interface Groups {
  readonly allow: number;
  readonly deny: number;
}

/** One line of the module's table. Without port and tag: a tag would end up in the operator's peer_tag_avp. */
export interface Row {
  readonly group: number;
  readonly ip: string;
  /** Prefix length; 32 and 128 go into the module's hash table, all else into its short list of networks. */
  readonly mask: number;
}

/** 20,000 addresses are loaded in 25 ms; what does not fit stays with companion, which is asked about strangers. */
export const MAX_ROWS = 20_000;

/** `9001 203.0.113.0/24`: what makes two rows the same, whatever form Kamailio prints the address in. */
export const keyOfRow = ({ group, ip, mask }: Row): string => `${group} ${canonicalIp(ip) ?? ip}/${mask}`;

export const isSingle = ({ ip, mask }: Row): boolean => mask === (ip.includes(':') ? 128 : 32);

/** The module takes a mask of 0 for none: everybody is two halves. */
const halves = (subject: string): readonly string[] =>
  subject === '0.0.0.0/0' ? ['0.0.0.0/1', '128.0.0.0/1'] : subject === '::/0' ? ['::/1', '8000::/1'] : [subject];

const compare = (a: Row, b: Row): number => {
  const [left, right] = [keyOfRow(a), keyOfRow(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};

/**
 * The rows of the operator's lists, allow before deny: where the module's table is full, the later ones are left out.
 * @returns also how many did not fit
 */
export const rowsOf = (
  entries: Iterable<Entry>,
  groups: Groups,
  now: number,
): { readonly rows: readonly Row[]; readonly left: number } => {
  const lists: Record<'allow' | 'deny', Row[]> = { allow: [], deny: [] };
  for (const entry of entries) {
    if (entry.kind !== 'allow' && entry.kind !== 'deny') continue;
    if (entry.until !== null && entry.until <= now) continue;
    for (const part of halves(formatCidr(parseCidr(entry.subject)))) {
      const { network, prefix } = parseCidr(part);
      lists[entry.kind].push({ group: groups[entry.kind], ip: network, mask: prefix });
    }
  }
  const all = [...lists.allow.sort(compare), ...lists.deny.sort(compare)];
  return { rows: all.slice(0, MAX_ROWS), left: Math.max(0, all.length - MAX_ROWS) };
};

/** Whether the row's network holds this canonical address. */
export const covers = ({ ip, mask }: Row, address: string): boolean => {
  if (ip.includes(':') !== address.includes(':')) return false;
  return parseCidr(`${address}/${mask}`).network === parseCidr(`${ip}/${mask}`).network;
};
