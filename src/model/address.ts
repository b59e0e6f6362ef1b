import ipaddr from 'ipaddr.js';
import { CompanionError } from './errors.ts';

/** A network in canonical form: host bits zero. */
export interface Cidr {
  readonly family: 4 | 6;
  /** Canonical text of the network address. */
  readonly network: string;
  readonly prefix: number;
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
}

const [DOT, ZERO] = [0x2e, 0x30];
const MAX_V4_CHARS = 15;

/** Dotted IPv4 without leading zeros. Written out: each message passes here. */
const isV4 = (text: string): boolean => {
  if (text.length > MAX_V4_CHARS) return false;
  let dots = 0;
  let digits = 0;
  let octet = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (digits === 0) return false;
      dots += 1;
      digits = 0;
      octet = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || (digits > 0 && octet === 0)) return false;
    octet = octet * 10 + digit;
    digits += 1;
    if (octet > 255) return false;
  }
  return dots === 3 && digits > 0;
};

/** What no address reads as. */
export const NO_V4 = -1 - 2 ** 31;

const scanV4 = (ip: string): number => {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < ip.length; index += 1) {
    const code = ip.charCodeAt(index);
    if (code === DOT) {
      if (octet < 0) return NO_V4;
      value = (value << 8) | octet;
      octet = -1;
      dots += 1;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9) return NO_V4;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return NO_V4;
    }
  }
  return dots === 3 && octet >= 0 ? (value << 8) | octet : NO_V4;
};

/** What was read last: lists, tables and detectors all ask for the source of the same message. Always what reading it again would give. */
let lastText = '';
let lastV4 = NO_V4;

/**
 * Reads a canonical IPv4 address as a signed number of 32 bits, which V8 keeps without an object of its own; NO_V4 for
 * anything else. Written out, because every request passes here.
 */
export const readV4 = (ip: string): number => {
  if (ip !== lastText) {
    lastV4 = scanV4(ip);
    lastText = ip;
  }
  return lastV4;
};

/** `2001:db8:1:2::/64`: the network that one IPv6 customer is taken to own. */
const V6_IDENTITY_BITS = 64;

/**
 * Canonical text of an address: dotted IPv4 (leading zeros are refused), or compressed lower-case IPv6 (RFC 5952);
 * IPv4-mapped IPv6 becomes IPv4. Brackets and zone ids are refused.
 * @returns undefined for anything else
 */
export const canonicalIp = (text: string): string | undefined => {
  if (isV4(text)) return text;
  if (text.length > 45 || !text.includes(':') || text.includes('%')) return undefined;
  // An embedded IPv4 address is as strict as one by itself: ipaddr.js would read octal and hexadecimal parts.
  if (text.includes('.') && !isV4(text.slice(text.lastIndexOf(':') + 1))) return undefined;
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const v6 = ipaddr.IPv6.parse(text);
  return v6.isIPv4MappedAddress() ? v6.toIPv4Address().toString() : v6.toRFC5952String();
};

const maskBytes = (bytes: readonly number[], prefix: number): number[] =>
  bytes.map((byte, index) => {
    const keep = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - keep)) & 0xff;
  });

/** A dotted address or network; undefined for anything else. Written out: lists and bans are read by the million. */
const readV4Cidr = (text: string): Cidr | undefined => {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  if (!isV4(address)) return undefined;
  let prefix = 32;
  if (slash >= 0) {
    const digits = text.length - slash - 1;
    if (digits < 1 || digits > 3) return undefined;
    prefix = 0;
    for (let index = slash + 1; index < text.length; index += 1) {
      const digit = text.charCodeAt(index) - ZERO;
      if (digit < 0 || digit > 9) return undefined;
      prefix = prefix * 10 + digit;
    }
    if (prefix > 32) return undefined;
  }
  let value = 0;
  let octet = 0;
  for (let index = 0; index < address.length; index += 1) {
    const code = address.charCodeAt(index);
    if (code === DOT) {
      value = (value << 8) | octet;
      octet = 0;
    } else octet = octet * 10 + code - ZERO;
  }
  value = ((value << 8) | octet) & (prefix === 0 ? 0 : -1 << (32 - prefix));
  const bytes = [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  return { family: 4, network: prefix === 32 ? address : bytes.join('.'), prefix, bytes };
};

/**
 * Reads an address or CIDR; host bits are cleared (`10.1.2.3/8` is `10.0.0.0/8`).
 * @throws CompanionError ADDRESS_INVALID
 */
export const parseCidr = (text: string): Cidr => {
  const v4 = readV4Cidr(text);
  if (v4 !== undefined) return v4;
  const [addressText = '', prefixText, extra] = text.split('/');
  const ip = canonicalIp(addressText);
  const dotted = ip !== undefined && !ip.includes(':');
  const maxPrefix = dotted ? 32 : 128;
  const prefix = prefixText === undefined ? maxPrefix : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  if (ip === undefined || extra !== undefined || prefix < 0 || prefix > maxPrefix) {
    throw new CompanionError(
      'ADDRESS_INVALID',
      `'${text.slice(0, 60)}' is not an IP address or CIDR. Write for example 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48.`,
    );
  }
  if (dotted) {
    // IPv4-mapped
    const bytes = maskBytes(ip.split('.').map(Number), prefix);
    return { family: 4, network: bytes.join('.'), prefix, bytes };
  }
  const bytes = maskBytes(ipaddr.IPv6.parse(ip).toByteArray(), prefix);
  return { family: 6, network: new ipaddr.IPv6(bytes).toRFC5952String(), prefix, bytes };
};

/** `203.0.113.0/24`; a single address always carries its /32 or /128. */
export const formatCidr = (cidr: Cidr): string => `${cidr.network}/${cidr.prefix}`;

/** What states and counters hang on: the IPv4 address itself, or the IPv6 /64. Takes a canonical address. */
export const identityOf = (ip: string): string => {
  if (!ip.includes(':')) return ip;
  const cidr = parseCidr(`${ip}/${V6_IDENTITY_BITS}`);
  return formatCidr(cidr);
};

/**
 * The subject under which an operator's address is banned or looked up: an identity for a single address
 * (an IPv6 address means its /64), else the CIDR as `network/prefix`.
 * @throws CompanionError ADDRESS_INVALID
 */
export const subjectOf = (text: string): string => {
  const cidr = parseCidr(text);
  if (cidr.family === 4 && cidr.prefix === 32) return cidr.network;
  if (cidr.family === 6 && cidr.prefix > V6_IDENTITY_BITS) return identityOf(cidr.network);
  return formatCidr(cidr);
};

/** 127.0.0.0/8 and ::1: whoever sends from there is on this machine. Takes a canonical address. */
export const isLoopbackRange = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';
