import { canonicalIp } from '../../model/index.ts';

/** What an IP packet carries, as far as it was captured. */
export interface IpPacket {
  readonly source: string;
  readonly destination: string;
  /** 6 TCP, 17 UDP. */
  readonly protocol: number;
  /** The payload is `from` to `to` of these. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** Set for a piece of a packet; `offset` in bytes. */
  readonly fragment: { readonly id: number; readonly offset: number; readonly more: boolean } | undefined;
  readonly cut: boolean;
}

const V4_HEADER_BYTES = 20;
const V6_HEADER_BYTES = 40;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** Hop-by-hop options, routing, destination options: skipped by their own length (RFC 8200 4). */
const SKIPPED = new Set([0, 43, 60]);
/** RFC 8200 4.1 names each once, destination options twice. */
const MAX_EXTENSIONS = 8;

/** Texts of addresses that came before: a capture has few, each of them in thousands of packets. */
const MAX_KNOWN = 65_536;

/** Reads the IP packet that stands between two offsets. */
type ReadIp = (bytes: Buffer, from: number, to: number) => IpPacket | 'ip-header';

/** Keeps the texts of addresses. */
export const createIpReader = (): ReadIp => {
  const knownV4 = new Map<number, string>();

  const v4Text = (bytes: Buffer, at: number): string => {
    const number = bytes.readUInt32BE(at);
    const known = knownV4.get(number);
    if (known !== undefined) return known;
    const text = `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
    if (knownV4.size >= MAX_KNOWN) knownV4.clear();
    knownV4.set(number, text);
    return text;
  };

  const v6Text = (bytes: Buffer, at: number): string => {
    const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(at + group * 2).toString(16));
    return canonicalIp(groups.join(':')) ?? '::';
  };

  const readV4: ReadIp = (bytes, from, to) => {
    const size = to - from;
    if (size < V4_HEADER_BYTES) return 'ip-header';
    const header = (bytes[from]! & 0x0f) * 4;
    const told = bytes.readUInt16BE(from + 2);
    // 0: the network card was to cut it up, and the capture saw it whole
    const total = told === 0 ? size : told;
    if (header < V4_HEADER_BYTES || header > size || total < header) return 'ip-header';
    const flags = bytes.readUInt16BE(from + 6);
    const more = (flags & 0x2000) !== 0;
    const offset = (flags & 0x1fff) * 8;
    return {
      source: v4Text(bytes, from + 12),
      destination: v4Text(bytes, from + 16),
      protocol: bytes[from + 9]!,
      bytes,
      from: from + header,
      to: from + Math.min(total, size),
      fragment: more || offset > 0 ? { id: bytes.readUInt16BE(from + 4), offset, more } : undefined,
      cut: total > size,
    };
  };

  const readV6: ReadIp = (bytes, from, to) => {
    if (to - from < V6_HEADER_BYTES) return 'ip-header';
    const told = bytes.readUInt16BE(from + 4);
    const end = told === 0 ? to : from + V6_HEADER_BYTES + told;
    let protocol = bytes[from + 6]!;
    let at = from + V6_HEADER_BYTES;
    let fragment: IpPacket['fragment'];
    for (let extensions = 0; extensions < MAX_EXTENSIONS; extensions += 1) {
      if (!SKIPPED.has(protocol) && protocol !== FRAGMENT && protocol !== AUTHENTICATION) break;
      if (at + 8 > to) return 'ip-header';
      const next = bytes[at]!;
      if (protocol === FRAGMENT) {
        const place = bytes.readUInt16BE(at + 2);
        fragment = { id: bytes.readUInt32BE(at + 4), offset: place & 0xfff8, more: (place & 1) === 1 };
        at += 8;
      } else at += protocol === AUTHENTICATION ? (bytes[at + 1]! + 2) * 4 : (bytes[at + 1]! + 1) * 8;
      protocol = next;
      // what follows the header of a later piece is data
      if (fragment !== undefined && fragment.offset > 0) break;
    }
    if (at > to || end < at) return 'ip-header';
    // RFC 6946: a packet of one piece is whole
    if (fragment?.offset === 0 && !fragment.more) fragment = undefined;
    return {
      source: v6Text(bytes, from + 8),
      destination: v6Text(bytes, from + 24),
      protocol,
      bytes,
      from: at,
      to: Math.min(end, to),
      fragment,
      cut: end > to,
    };
  };

  return (bytes, from, to) => {
    const version = bytes[from]! >> 4;
    return version === 4 ? readV4(bytes, from, to) : version === 6 ? readV6(bytes, from, to) : 'ip-header';
  };
};
