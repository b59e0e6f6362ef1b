import { parseCidr } from '../model/index.ts';
import { NO_V4, PrefixMap, readV4 } from './prefix-map.ts';

/**
 * RFC 1918, link-local, RFC 6598 shared space, RFC 4193 unique-local, and the loopback address that local programs use.
 * The rest of 127.0.0.0/8 is not: nobody stands behind it but whoever bound it.
 */
const PRIVATE_RANGES = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '127.0.0.1/32',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fe80::/10',
  'fc00::/7',
] as const;

/** Builds the look-up for the hot path: no address is parsed into an object, of IPv4 none is looked up. */
export const createPrivateRange = (): ((ip: string) => boolean) => {
  const v6 = new PrefixMap<true>();
  const v4: { readonly network: number; readonly mask: number }[] = [];
  for (const range of PRIVATE_RANGES) {
    const cidr = parseCidr(range);
    if (cidr.family === 4) v4.push({ network: readV4(cidr.network), mask: -1 << (32 - cidr.prefix) });
    else v6.set(cidr, true);
  }
  return (ip) => {
    const address = readV4(ip);
    if (address === NO_V4) return v6.match(ip) === true;
    for (const { network, mask } of v4) if ((address & mask) === network) return true;
    return false;
  };
};
