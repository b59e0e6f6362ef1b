import type { EpochMs } from '../../model/index.ts';

/** One record of a packet capture: `from` to `to` of `bytes`, as a view for each layer of each packet is dear. */
export interface LinkFrame {
  readonly at: EpochMs;
  /** LINKTYPE_ number of the tcpdump registry. */
  readonly linkType: number;
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
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

const NONE = -1;

const behindPppoe = ({ bytes, to }: LinkFrame, at: number): number => {
  const protocolAt = at + PPPOE_HEADER_BYTES;
  if (protocolAt + 2 > to) return NONE;
  const protocol = bytes.readUInt16BE(protocolAt);
  return protocol === PPP_IPV4 || protocol === PPP_IPV6 ? protocolAt + 2 : NONE;
};

const behindEtherType = (frame: LinkFrame, typeAt: number, headerEnd: number): number => {
  const { bytes, from, to } = frame;
  let at = from + typeAt;
  let end = from + headerEnd;
  for (let tags = 0; tags <= MAX_VLAN_TAGS && end <= to; tags += 1) {
    const type = bytes.readUInt16BE(at);
    if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return end;
    if (type === ETHERTYPE_PPPOE_SESSION) return behindPppoe(frame, end);
    if (!VLAN_TAGS.has(type)) return NONE;
    at = end + 2;
    end += 4;
  }
  return NONE;
};

/** Header of the link layer → where the IP packet starts, by LINKTYPE_ number. */
const HEADERS: Readonly<Record<number, (frame: LinkFrame) => number>> = {
  // NULL and LOOP: an address family whose byte order and numbers differ by system; the IP version says the same
  0: ({ from }) => from + 4,
  108: ({ from }) => from + 4,
  1: (frame) => behindEtherType(frame, 12, 14),
  // LINUX_SLL, LINUX_SLL2 (`tcpdump -i any`)
  113: (frame) => behindEtherType(frame, 14, 16),
  276: (frame) => behindEtherType(frame, 0, 20),
  // RAW, also as the DLT numbers that some systems write; IPV4, IPV6
  12: ({ from }) => from,
  14: ({ from }) => from,
  101: ({ from }) => from,
  228: ({ from }) => from,
  229: ({ from }) => from,
};

/** @returns where the IP packet begins, or why there is none */
export const ipPacketAt = (frame: LinkFrame): number | 'link-type' | 'not-ip' => {
  const header = HEADERS[frame.linkType];
  if (header === undefined) return 'link-type';
  const at = header(frame);
  return at < 0 || at >= frame.to ? 'not-ip' : at;
};
