import type { EpochMs } from '../../model/index.ts';

/** One record of a packet capture. */
export interface LinkFrame {
  readonly at: EpochMs;
  /** LINKTYPE_ number of the tcpdump registry. */
  readonly linkType: number;
  readonly bytes: Buffer;
}

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** 802.1Q, 802.1ad and its older form. */
const VLAN_TAGS = new Set([0x8100, 0x88a8, 0x9100]);
/** Two are usual (QinQ). */
const MAX_VLAN_TAGS = 4;
/** RFC 2516 4: six bytes, then the PPP protocol (RFC 1661 2). */
const ETHERTYPE_PPPOE_SESSION = 0x8864;
const PPPOE_HEADER_BYTES = 6;
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;

const behindPppoe = (bytes: Buffer, at: number): Buffer | undefined => {
  const protocolAt = at + PPPOE_HEADER_BYTES;
  if (protocolAt + 2 > bytes.length) return undefined;
  const protocol = bytes.readUInt16BE(protocolAt);
  return protocol === PPP_IPV4 || protocol === PPP_IPV6 ? bytes.subarray(protocolAt + 2) : undefined;
};

const behindEtherType = (bytes: Buffer, typeAt: number, headerEnd: number): Buffer | undefined => {
  let at = typeAt;
  let end = headerEnd;
  for (let tags = 0; tags <= MAX_VLAN_TAGS && end <= bytes.length; tags += 1) {
    const type = bytes.readUInt16BE(at);
    if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return bytes.subarray(end);
    if (type === ETHERTYPE_PPPOE_SESSION) return behindPppoe(bytes, end);
    if (!VLAN_TAGS.has(type)) return undefined;
    at = end + 2;
    end += 4;
  }
  return undefined;
};

/** Header of the link layer → where the IP packet starts, by LINKTYPE_ number. */
const HEADERS: Readonly<Record<number, (bytes: Buffer) => Buffer | undefined>> = {
  // NULL and LOOP: an address family whose byte order and numbers differ by system; the IP version says the same
  0: (bytes) => bytes.subarray(4),
  108: (bytes) => bytes.subarray(4),
  1: (bytes) => behindEtherType(bytes, 12, 14),
  // LINUX_SLL, LINUX_SLL2 (`tcpdump -i any`)
  113: (bytes) => behindEtherType(bytes, 14, 16),
  276: (bytes) => behindEtherType(bytes, 0, 20),
  // RAW, also as the DLT numbers that some systems write; IPV4, IPV6
  12: (bytes) => bytes,
  14: (bytes) => bytes,
  101: (bytes) => bytes,
  228: (bytes) => bytes,
  229: (bytes) => bytes,
};

/** @returns the IP packet, or why there is none */
export const ipPacketOf = ({ linkType, bytes }: LinkFrame): Buffer | 'link-type' | 'not-ip' => {
  const header = HEADERS[linkType];
  if (header === undefined) return 'link-type';
  const packet = header(bytes);
  return packet === undefined || packet.length === 0 ? 'not-ip' : packet;
};
