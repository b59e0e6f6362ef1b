/** Builds packet captures, layer by layer, as tcpdump would have written them. */
export interface Packet {
  /** Milliseconds. */
  readonly at: number;
  readonly bytes: Buffer;
}

interface Hop {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

const addressBytes = (ip: string): Buffer => {
  if (!ip.includes(':')) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail = ''] = ip.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
};

const u16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);

export const udp = ({ fromPort, toPort }: Hop, payload: Buffer): Buffer =>
  Buffer.concat([u16(fromPort), u16(toPort), u16(8 + payload.length), u16(0), payload]);

export const tcp = ({ fromPort, toPort }: Hop, sequence: number, flags: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(fromPort, 0);
  header.writeUInt16BE(toPort, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header[12] = 5 << 4;
  header[13] = flags;
  return Buffer.concat([header, payload]);
};

const NO_FRAGMENT = { id: 1, offset: 0, more: false };

/** An IPv4 or IPv6 packet; `fragment.offset` in bytes. */
export const ip = ({ from, to }: Hop, protocol: number, payload: Buffer, fragment = NO_FRAGMENT): Buffer => {
  const isPiece = fragment.offset > 0 || fragment.more;
  if (from.includes(':')) {
    const piece = Buffer.alloc(isPiece ? 8 : 0);
    if (isPiece) {
      piece[0] = protocol;
      piece.writeUInt16BE(fragment.offset | (fragment.more ? 1 : 0), 2);
      piece.writeUInt32BE(fragment.id, 4);
    }
    const header = Buffer.alloc(8);
    header[0] = 6 << 4;
    header.writeUInt16BE(piece.length + payload.length, 4);
    header[6] = isPiece ? 44 : protocol;
    header[7] = 64;
    return Buffer.concat([header, addressBytes(from), addressBytes(to), piece, payload]);
  }
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(fragment.id, 4);
  header.writeUInt16BE((fragment.more ? 0x2000 : 0) | (fragment.offset >> 3), 6);
  header[8] = 64;
  header[9] = protocol;
  return Buffer.concat([header, addressBytes(from), addressBytes(to), payload]);
};

export const udpPacket = (hop: Hop, payload: Buffer): Buffer => ip(hop, 17, udp(hop, payload));

const etherType = (packet: Buffer): Buffer => u16(packet[0]! >> 4 === 6 ? 0x86dd : 0x0800);

const TUNNEL: Hop = { from: '192.0.2.1', fromPort: 0, to: '192.0.2.2', toPort: 0 };

/** Link layers by LINKTYPE_ number. */
export const LINKS: Readonly<Record<string, readonly [number, (packet: Buffer) => Buffer]>> = {
  ethernet: [1, (packet) => Buffer.concat([Buffer.alloc(12, 2), etherType(packet), packet])],
  vlan: [1, (packet) => Buffer.concat([Buffer.alloc(12, 2), u16(0x8100), u16(7), etherType(packet), packet])],
  qinq: [
    1,
    (packet) =>
      Buffer.concat([Buffer.alloc(12, 2), u16(0x88a8), u16(7), u16(0x8100), u16(8), etherType(packet), packet]),
  ],
  sll: [113, (packet) => Buffer.concat([Buffer.alloc(14), etherType(packet), packet])],
  sll2: [276, (packet) => Buffer.concat([etherType(packet), Buffer.alloc(18), packet])],
  pppoe: [
    1,
    (packet) =>
      Buffer.concat([
        Buffer.alloc(12, 2),
        u16(0x8864),
        Buffer.from([0x11, 0, 0, 7]),
        u16(packet.length + 2),
        u16(packet[0]! >> 4 === 6 ? 0x0057 : 0x0021),
        packet,
      ]),
  ],
  raw: [101, (packet) => packet],
  tunnel: [101, (packet) => ip(TUNNEL, packet[0]! >> 4 === 6 ? 41 : 4, packet)],
  null: [0, (packet) => Buffer.concat([Buffer.from([2, 0, 0, 0]), packet])],
  loop: [108, (packet) => Buffer.concat([Buffer.from([0, 0, 0, 2]), packet])],
};

interface Shape {
  readonly little?: boolean;
  readonly nanoseconds?: boolean;
  readonly linkType?: number;
}

const numbers = (little: boolean) => ({
  u32: (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (little) bytes.writeUInt32LE(value >>> 0);
    else bytes.writeUInt32BE(value >>> 0);
    return bytes;
  },
  u16: (value: number): Buffer => (little ? u16(value).reverse() : u16(value)),
});

export const pcap = (packets: readonly Packet[], shape: Shape = {}): Buffer => {
  const { little = true, nanoseconds = false, linkType = 101 } = shape;
  const { u32, u16: short } = numbers(little);
  const perMs = nanoseconds ? 1e6 : 1e3;
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const head = [u32(magic), short(2), short(4), u32(0), u32(0), u32(262_144), u32(linkType)];
  const records = packets.flatMap(({ at, bytes }) => [
    u32(Math.floor(at / 1_000)),
    u32(Math.round((at % 1_000) * perMs)),
    u32(bytes.length),
    u32(bytes.length),
    bytes,
  ]);
  return Buffer.concat([...head, ...records]);
};

/** @param resolution the option if_tsresol; left out: microseconds */
export const pcapng = (
  packets: readonly Packet[],
  shape: Shape & { resolution?: number; simple?: boolean } = {},
): Buffer => {
  const { little = true, linkType = 101, resolution, simple = false } = shape;
  const { u32, u16: short } = numbers(little);
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const size = u32(12 + padded.length);
    return Buffer.concat([u32(type), size, padded, size]);
  };
  const option =
    resolution === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([short(9), short(1), Buffer.from([resolution, 0, 0, 0]), u32(0)]);
  const perSecond = resolution === undefined ? 1e6 : resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution;
  return Buffer.concat([
    block(0x0a0d0d0a, Buffer.concat([u32(0x1a2b3c4d), short(1), short(0), u32(0xffffffff), u32(0xffffffff)])),
    block(1, Buffer.concat([short(linkType), short(0), u32(0), option])),
    // a kind of block that nobody knows
    block(0x0bad, Buffer.alloc(40, 1)),
    ...packets.map(({ at, bytes }) => {
      if (simple) return block(3, Buffer.concat([u32(bytes.length), bytes]));
      const time = Math.round((at / 1_000) * perSecond);
      const place = [u32(0), u32(Math.floor(time / 2 ** 32)), u32(time % 2 ** 32)];
      return block(6, Buffer.concat([...place, u32(bytes.length), u32(bytes.length), bytes]));
    }),
  ]);
};
