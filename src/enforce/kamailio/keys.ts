import { hash } from 'node:crypto';
import { canonicalIp, parseCidr } from '../../model/index.ts';
import type { Cidr, Entry } from '../../model/index.ts';

/** The tables that companion fills. `companion_meta` holds single words about the others and is written apart. */
export const TABLES = ['ipban', 'companion_net', 'companion_state', 'companion_good'] as const;
export type Table = (typeof TABLES)[number];

/** Where a value goes: kamailio/companion.cfg reads exactly these. Strings go with setxs, numbers with setxi. */
export interface Key {
  readonly table: Table;
  readonly key: string;
  readonly value: string | number;
}

/** A ban's value starts with it: whatever else stands in `ipban` was put there by somebody else. */
export const OWN_BAN = 'companion:';
/** Longest value of ours (bytes). */
const MAX_VALUE_CHARS = 60;
/** IPv6 prefix lengths (bytes) that the script looks up. A prefix between two of them is expanded to the next. */
const V6_BYTES = [4, 5, 6, 7, 8, 16] as const;
const V6_IDENTITY_BYTES = 8;
const V6_SHORTEST_BITS = 32;
const PERMANENT_SECONDS = 315_360_000;

const hex = (bytes: readonly number[]): string => Buffer.from(bytes).toString('hex');
const md5 = (text: string): string => hash('md5', text, 'hex');

const keyOf = (family: 4 | 6, bytes: readonly number[]): string => (family === 4 ? bytes.join('.') : hex(bytes));

/** IPv4 as it is; IPv6 as the 16 hex digits of its /64. Takes an identity or a canonical address. */
export const identityKey = (identity: string): string => {
  if (!identity.includes(':')) return identity;
  return hex(parseCidr(identity).bytes.slice(0, V6_IDENTITY_BYTES));
};

/** All keys under which the script looks for prefixes that hold this address, shortest prefix first. */
export const prefixKeysOfAddress = (ip: string): readonly string[] => {
  const { family, bytes } = parseCidr(ip);
  const lengths = family === 4 ? [1, 2, 3, 4] : V6_BYTES;
  return lengths.map((length) => keyOf(family, bytes.slice(0, length)));
};

/**
 * The keys that together cover exactly this CIDR: at most 256.
 * @returns undefined when the script could not look it up (IPv6 shorter than /32, or /65 to /127)
 */
export const prefixKeys = (cidr: Cidr): readonly string[] | undefined => {
  const { family, bytes, prefix } = cidr;
  const isV6 = family === 6;
  if (isV6 && (prefix < V6_SHORTEST_BITS || (prefix > 64 && prefix < 128))) return undefined;
  const length = Math.max(1, Math.ceil(prefix / 8));
  const count = 2 ** (length * 8 - prefix);
  const head = bytes.slice(0, length - 1);
  const first = bytes[length - 1] ?? 0;
  return Array.from({ length: count }, (_, step) => keyOf(family, [...head, first + step]));
};

const banKeys = (subject: string, value: string): readonly Key[] | undefined => {
  // nearly all: an IPv4 address is its own key
  if (!subject.includes(':') && canonicalIp(subject) !== undefined) return [{ table: 'ipban', key: subject, value }];
  const cidr = parseCidr(subject);
  const single = cidr.family === 4 ? cidr.prefix === 32 : cidr.prefix >= V6_IDENTITY_BYTES * 8;
  if (single) return [{ table: 'ipban', key: identityKey(cidr.network), value }];
  return prefixKeys(cidr)?.map((key) => ({ table: 'companion_net', key: `d${key}`, value: '1' }));
};

/** @param value `2`: an allowed peer about whose requests companion wants to be asked */
const listKeys = (mark: 'a' | 'd', subject: string, value: '1' | '2' = '1'): readonly Key[] | undefined =>
  prefixKeys(parseCidr(subject))?.map((key) => ({ table: 'companion_net', key: `${mark}${key}`, value }));

/** `companion:<level>:<rule>`: own words only, whatever the entry says. */
const banValue = (level: number, rule: string): string =>
  `${OWN_BAN}${level}:${rule.toLowerCase().replaceAll(/[^a-z0-9.:-]/g, '-')}`.slice(0, MAX_VALUE_CHARS);

/**
 * What an entry is in Kamailio's tables.
 * @returns undefined when it does not fit there and companion has to answer for it; empty when it is not ours to write
 */
export const keysOf = (entry: Entry): readonly Key[] | undefined => {
  switch (entry.kind) {
    case 'ban':
      if (entry.origin === 'foreign') return [];
      return banKeys(entry.subject, banValue(entry.level, entry.rules[0] ?? 'operator'));
    case 'allow':
      return listKeys('a', entry.subject, entry.checked === true ? '2' : '1');
    case 'deny':
      return listKeys('d', entry.subject);
    case 'quarantine':
      return [{ table: 'companion_state', key: `q${identityKey(entry.subject)}`, value: '1' }];
    case 'throttle':
      return [{ table: 'companion_state', key: `t${identityKey(entry.subject)}`, value: entry.perSecond }];
    case 'throttle-user': {
      const place =
        entry.port === undefined ? identityKey(entry.subject) : `${identityKey(entry.subject)}:${entry.port}`;
      const key = `u${place}:${md5(entry.user)}`;
      return [{ table: 'companion_state', key, value: entry.intervalSeconds }];
    }
    case 'good': {
      const address = `${entry.ip}:${entry.port}`;
      return [
        { table: 'companion_good', key: address, value: '1' },
        { table: 'companion_good', key: `${address}:${md5(entry.user)}`, value: '1' },
      ];
    }
  }
};

/** Seconds for setxs: at least 1 (0 would mean the table's own default), ten years when there is no end. */
export const ttlSeconds = (untilMs: number, nowMs: number): number =>
  Math.min(PERMANENT_SECONDS, Math.max(1, Math.ceil((untilMs - nowMs) / 1000)));
