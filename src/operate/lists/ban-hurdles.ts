import { canonicalIp, parseCidr } from '../../model/index.ts';
import type { Cidr, Entry, GoodEntry, ListEntry } from '../../model/index.ts';
import { PrefixMap } from '../../enrich/index.ts';

/** Names that a refusal lists; the rest is counted. */
const MAX_NAMED = 5;

const within = (cidr: Cidr, network: Cidr): boolean =>
  cidr.family === network.family && cidr.prefix >= network.prefix && startsWith(cidr.bytes, network);

const startsWith = (bytes: readonly number[], network: Cidr): boolean => {
  const whole = network.prefix >> 3;
  for (let index = 0; index < whole; index += 1) if (bytes[index] !== network.bytes[index]) return false;
  const rest = network.prefix & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((bytes[whole] ?? 0) & mask) === network.bytes[whole];
};

/** Known-good phones inside a network. All of them are looked at, in far less time than an ask may wait. */
export const goodWithin = (network: Cidr, goods: Iterable<Entry>): GoodEntry[] => {
  const map = new PrefixMap<true>();
  map.set(network, true);
  const found: GoodEntry[] = [];
  for (const entry of goods) if (entry.kind === 'good' && map.match(entry.ip) === true) found.push(entry);
  return found;
};

/**
 * Who would be hit by a ban of this subject: registered phones, allow entries that overlap it, the server itself.
 * @returns one sentence a hurdle; empty when nobody is
 */
export const banHurdles = (
  subject: string,
  goods: readonly GoodEntry[],
  allows: Iterable<Entry>,
  own: readonly string[],
): string[] => {
  const network = parseCidr(subject);
  const hurdles: string[] = [];
  if (goods.length > 0) {
    const names = goods.slice(0, MAX_NAMED).map(({ user, ip, port }) => `${user} at ${ip}:${port}`);
    hurdles.push(
      `${goods.length} registered phone${goods.length === 1 ? '' : 's'} there: ${names.join(', ')}${goods.length > MAX_NAMED ? ', …' : ''}`,
    );
  }
  for (const entry of allows) {
    const list = entry as ListEntry;
    const allowed = parseCidr(list.subject);
    if (within(allowed, network) || within(network, allowed))
      hurdles.push(`the allow entry ${list.subject}${list.note === '' ? '' : ` (${list.note})`}`);
    if (hurdles.length > MAX_NAMED) break;
  }
  for (const ip of own) {
    const canonical = canonicalIp(ip);
    if (canonical !== undefined && within(parseCidr(canonical), network))
      hurdles.push(`this server's own address ${canonical}`);
  }
  return hurdles;
};
