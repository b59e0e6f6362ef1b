import { NO_V4, parseCidr, readV4 } from '../model/index.ts';
import type { Cidr } from '../model/index.ts';
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

const byteOf = (value: number): string => value.toString(16).padStart(2, '0');

/**
 * The IPv6 networks that stand for an IPv4 one: behind the NAT64 prefix `64:ff9b::/96` (RFC 6052) and as 6to4 `2002::/16`
 * (RFC 3056). Whoever reaches them reaches, or comes from, the IPv4 addresses.
 */
export const embeddingsOf = ({ bytes, prefix }: Cidr): readonly Cidr[] => {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const [high, low] = [byteOf(a) + byteOf(b), byteOf(c) + byteOf(d)];
  return [parseCidr(`64:ff9b::${high}:${low}/${96 + prefix}`), parseCidr(`2002:${high}:${low}::/${16 + prefix}`)];
};

/** Builds the look-up for the hot path: no address is parsed into an object, of IPv4 none is looked up. */
export const createPrivateRange = (): ((ip: string) => boolean) => {
  const v6 = new PrefixMap<true>();
  /** Network and mask in turn. */
  const v4: number[] = [];
  for (const range of PRIVATE_RANGES) {
    const cidr = parseCidr(range);
    if (cidr.family === 6) v6.set(cidr, true);
    else {
      v4.push(readV4(cidr.network), -1 << (32 - cidr.prefix));
      for (const embedding of embeddingsOf(cidr)) v6.set(embedding, true);
    }
  }
  return (ip) => {
    const address = readV4(ip);
    if (address === NO_V4) return v6.match(ip) === true;
    for (let at = 0; at < v4.length; at += 2) if ((address & v4[at + 1]!) === v4[at]!) return true;
    return false;
  };
};
