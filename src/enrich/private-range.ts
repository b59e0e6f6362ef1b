import { parseCidr } from '../model/index.ts';
import { PrefixMap } from './prefix-map.ts';

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

/** Builds the look-up for the hot path: no address is parsed into an object. */
export const createPrivateRange = (): ((ip: string) => boolean) => {
  const ranges = new PrefixMap<true>();
  for (const range of PRIVATE_RANGES) ranges.set(parseCidr(range), true);
  return (ip) => ranges.match(ip) === true;
};
