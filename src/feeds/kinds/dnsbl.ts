import { LRUCache } from 'lru-cache';
import { parseCidr } from '../../model/index.ts';
import { NOTHING_LEFT } from './kind.ts';
import type { Feed, FeedParts } from './kind.ts';

export interface DnsblSettings {
  /** `dnsbl.example.org`. */
  readonly zone: string;
  /** As RFC 5782 says: the parts of the address the other way round. Some lists want them as they are. */
  readonly reversed: boolean;
}

const MAX_KEPT = 50_000;
const MAX_WAITING = 200;
const AT_ONCE = 4;
const SHORTEST_MS = 300_000;
const LONGEST_MS = 86_400_000;
/** Not listed, as far as we know, for this long. */
const CLEAR_MS = 3_600_000;
const FAILED_MS = 60_000;
/** So many failures in a row are worth an alarm. */
const SICK_AFTER = 5;

interface Kept {
  readonly until: number;
  readonly listed: boolean;
}

/** The name under which an address is looked up: octets of IPv4, hexadecimal digits of IPv6 (RFC 5782, 2.1 and 2.4). */
export const dnsblName = (ip: string, { zone, reversed }: DnsblSettings): string => {
  const { family, bytes } = parseCidr(ip);
  const parts = family === 4 ? bytes.map(String) : [...Buffer.from(bytes).toString('hex')];
  return `${(reversed ? parts.toReversed() : parts).join('.')}.${zone}`;
};

/** 127.255.255.x is how lists say that they will not answer; anything beyond 127/8 is somebody's search page. */
const isListing = (ip: string): boolean => ip.startsWith('127.') && !ip.startsWith('127.255.255.');

/** A list that is asked about one address at a time, over DNS. Only strangers are asked about, and nobody waits for it. */
export const createDnsbl = (parts: FeedParts, settings: DnsblSettings): Feed => {
  const { clock, resolver } = parts;
  const kept = new LRUCache<string, Kept>({ max: MAX_KEPT });
  const waiting = new Set<string>();
  let running = 0;
  let listed = 0;
  let failures = 0;
  let lastError = '';
  let overflowed = 0;

  const keep = (ip: string, isListed: boolean, ms: number): void => {
    const before = kept.peek(ip)?.listed === true;
    kept.set(ip, { listed: isListed, until: clock.now() + ms });
    if (before === isListed) return;
    listed += isListed ? 1 : -1;
    parts.changed();
  };

  const ask = async (ip: string): Promise<void> => {
    try {
      const { ips, ttlMs } = await resolver.addresses(dnsblName(ip, settings));
      if (ips.length > 0 && !ips.some(isListing)) throw new Error(`it answered ${ips[0]}, which is no listing`);
      failures = 0;
      keep(ip, true, Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttlMs)));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (/no such name|no addresses/.test(message)) {
        failures = 0;
        keep(ip, false, CLEAR_MS);
      } else {
        failures += 1;
        lastError = message;
        kept.set(ip, { listed: kept.peek(ip)?.listed === true, until: clock.now() + FAILED_MS });
      }
    }
  };
  const next = (): void => {
    for (const ip of waiting) {
      if (running >= AT_ONCE) return;
      waiting.delete(ip);
      running += 1;
      void ask(ip).finally(() => {
        running -= 1;
        next();
      });
    }
  };

  return {
    get size() {
      return Math.max(0, listed);
    },
    poll() {
      if (failures >= SICK_AFTER) return Promise.reject(new Error(lastError));
      return Promise.resolve({ ...NOTHING_LEFT, left: { 'not-asked': overflowed } });
    },
    listed(ip) {
      const found = kept.get(ip);
      return found?.listed === true && found.until > clock.now() ? { until: found.until, long: false } : undefined;
    },
    see(ip) {
      const found = kept.get(ip);
      if ((found !== undefined && found.until > clock.now()) || waiting.has(ip)) return;
      if (waiting.size >= MAX_WAITING) {
        overflowed += 1;
        return;
      }
      waiting.add(ip);
      next();
    },
  };
};
