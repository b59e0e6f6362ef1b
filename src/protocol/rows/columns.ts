import { CompanionError, parseCidr } from '../../model/index.ts';

/** What a column of a file means here. */
export type Field = 'subject' | 'mask' | 'note' | 'until' | 'duration';

const names = (...lines: readonly string[]): readonly string[] => lines.flatMap((line) => line.split(', '));

/** Headings by what they mean, in the spelling of sipPROT, Kamailio's tables, spreadsheets, our own export and others. */
const HEADINGS: Readonly<Record<Field, readonly string[]>> = {
  subject: names(
    'ip, ips, ip address, ipaddress, ip addr, ip/cidr, ip or cidr, ip range, source ip, src ip',
    'network, network address, network or ip address, network/ip address, net, subnet, prefix, cidr',
    'address, addresses, addr, subject, host, source, src, source address',
  ),
  mask: names('mask, netmask, subnet mask, prefix length, prefixlen, mask bits'),
  note: names('note, notes, comment, comments, description, desc, reason, remark, remarks, label, tag, name'),
  until: names('until, expires, expires at, expire, expiry, expiration, expiry date, valid until, end, ends, end date'),
  duration: names('duration, for, ban time, bantime'),
};

/** `IP_Address`, `Network / IP Address`, `ip-address`. */
const fieldOf = (heading: string): Field | undefined => {
  const name = heading
    .toLowerCase()
    .replaceAll(/[_\-\s]+/g, ' ')
    .replaceAll(' / ', '/')
    .trim();
  return (Object.keys(HEADINGS) as Field[]).find((field) => HEADINGS[field].includes(name));
};

const isAddress = (cell: string | undefined): boolean => {
  try {
    parseCidr((cell ?? '').split(/\s/, 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
};

export interface Columns {
  readonly fields: readonly (Field | undefined)[];
  /** The first row names them, and holds nothing. */
  readonly headed: boolean;
}

/**
 * What the columns are: as the first row names them. Where no name of it is known, and it holds no address, the addresses of
 * the second row say which column they are in.
 */
export const columnsOf = (first: readonly string[], second: readonly string[] | undefined): Columns => {
  const fields = first.map(fieldOf);
  if (fields.includes('subject')) return { fields, headed: true };
  // without headings: the address, then what it is
  const plain: Columns = { fields: ['subject', 'note'], headed: false };
  if (first.length < 2 || second === undefined || first.some(isAddress)) return plain;
  const at = second.findIndex(isAddress);
  if (at < 0) return plain;
  return { fields: first.map((_, index) => (index === at ? 'subject' : fields[index])), headed: true };
};

const DOTTED = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** A netmask as dotted text that has its ones first; undefined for anything else. */
const maskBits = (text: string): number | undefined => {
  if (!DOTTED.test(text)) return undefined;
  const bits = text
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
  return /^1+0*$/.test(bits) && bits.length === 32 ? bits.lastIndexOf('1') + 1 : undefined;
};

/**
 * `203.0.113.0/255.255.255.0` → `203.0.113.0/24`: read as one address, a netmask would silently leave its network out.
 * @param mask of a column of its own, or the word behind the address
 * @throws CompanionError ADDRESS_INVALID for a mask that is none
 */
export const withMask = (address: string, mask: string): string => {
  const [network = '', written = ''] = address.split('/', 2);
  const own = maskBits(written);
  if (own !== undefined) return `${network}/${own}`;
  if (mask === '' || address.includes('/')) return address;
  const bits = maskBits(mask) ?? (/^\d{1,3}$/.test(mask) ? Number(mask) : undefined);
  if (bits === undefined)
    throw new CompanionError(
      'ADDRESS_INVALID',
      `'${mask.slice(0, 40)}' is no netmask. Write for example 24 or 255.255.255.0.`,
    );
  return `${network}/${bits}`;
};

/** Whether the word behind an address is its netmask, and no remark. */
export const isNetmask = (word: string): boolean => maskBits(word) !== undefined;
