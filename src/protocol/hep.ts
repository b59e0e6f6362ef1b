import { inflateSync } from 'node:zlib';
import { canonicalIp } from '../model/index.ts';
import type { EpochMs } from '../model/index.ts';

/** One packet of HEP version 3 (the encapsulation of Homer): a captured message and where it was going. */
export interface HepPacket {
  readonly at: EpochMs;
  readonly sourceIp: string;
  readonly sourcePort: number;
  readonly destinationIp: string;
  readonly destinationPort: number;
  /** IP protocol number: 17 UDP, 6 TCP; capture agents put 132 for SCTP. */
  readonly protocol: number;
  /** 1 SIP; others are not for us. */
  readonly payloadType: number;
  readonly captureId: number;
  readonly payload: Buffer;
}

export type HepFault = 'hep-version' | 'hep-length' | 'hep-chunk' | 'hep-incomplete' | 'hep-compressed';

export const HEP_HEADER_BYTES = 6;
/** The length field has 16 bits. */
const MAX_HEP_BYTES = 65_535;
const MAX_PAYLOAD_BYTES = 65_535;
const CHUNK_HEADER_BYTES = 6;
const GENERIC = 0;
const MAGIC = 0x48455033;

const CHUNK = {
  family: 1,
  protocol: 2,
  sourceV4: 3,
  destinationV4: 4,
  sourceV6: 5,
  destinationV6: 6,
  sourcePort: 7,
  destinationPort: 8,
  seconds: 9,
  microseconds: 10,
  payloadType: 11,
  captureId: 12,
  payload: 15,
  compressed: 16,
} as const;

/** Sizes of the numbers and addresses; what has another size is no such chunk. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [CHUNK.family, 1],
  [CHUNK.protocol, 1],
  [CHUNK.sourceV4, 4],
  [CHUNK.destinationV4, 4],
  [CHUNK.sourceV6, 16],
  [CHUNK.destinationV6, 16],
  [CHUNK.sourcePort, 2],
  [CHUNK.destinationPort, 2],
  [CHUNK.seconds, 4],
  [CHUNK.microseconds, 4],
  [CHUNK.payloadType, 1],
  [CHUNK.captureId, 4],
]);

export const isHep3 = (start: Buffer): boolean => start.length >= 4 && start.readUInt32BE(0) === MAGIC;

/** Length that the packet says it has, its header included. Takes at least HEP_HEADER_BYTES. */
export const hepLength = (header: Buffer): number => header.readUInt16BE(4);

const textOf = (bytes: Buffer): string =>
  bytes.length === 4
    ? bytes.join('.')
    : (canonicalIp(Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':')) ?? '::');

const numberOf = (bytes: Buffer | undefined): number | undefined => bytes?.readUIntBE(0, bytes.length);

/** A packet that says it holds a gigabyte gets 64 KB. */
const inflate = (bytes: Buffer): Buffer | undefined => {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_PAYLOAD_BYTES });
  } catch {
    return undefined;
  }
};

/** Reads one packet. Unknown chunks and those of other vendors are left out; of a chunk that comes twice the first counts. */
export const decodeHep = (bytes: Buffer): HepPacket | HepFault => {
  if (!isHep3(bytes)) return 'hep-version';
  if (bytes.length < HEP_HEADER_BYTES || hepLength(bytes) !== bytes.length) return 'hep-length';
  const chunks = new Map<number, Buffer>();
  for (let at = HEP_HEADER_BYTES; at < bytes.length;) {
    if (at + CHUNK_HEADER_BYTES > bytes.length) return 'hep-chunk';
    const vendor = bytes.readUInt16BE(at);
    const type = bytes.readUInt16BE(at + 2);
    // includes its header
    const size = bytes.readUInt16BE(at + 4);
    if (size < CHUNK_HEADER_BYTES || at + size > bytes.length) return 'hep-chunk';
    const data = bytes.subarray(at + CHUNK_HEADER_BYTES, at + size);
    at += size;
    if (vendor !== GENERIC || chunks.has(type)) continue;
    const expected = SIZES.get(type);
    if (expected !== undefined && expected !== data.length) return 'hep-chunk';
    chunks.set(type, data);
  }
  const source = chunks.get(CHUNK.sourceV4) ?? chunks.get(CHUNK.sourceV6);
  const destination = chunks.get(CHUNK.destinationV4) ?? chunks.get(CHUNK.destinationV6);
  const sourcePort = numberOf(chunks.get(CHUNK.sourcePort));
  const destinationPort = numberOf(chunks.get(CHUNK.destinationPort));
  const compressed = chunks.get(CHUNK.compressed);
  const payload = chunks.get(CHUNK.payload) ?? (compressed === undefined ? undefined : inflate(compressed));
  if (payload === undefined && compressed !== undefined) return 'hep-compressed';
  if (
    source === undefined ||
    destination === undefined ||
    sourcePort === undefined ||
    destinationPort === undefined ||
    payload === undefined
  )
    return 'hep-incomplete';
  const microseconds = numberOf(chunks.get(CHUNK.microseconds)) ?? 0;
  return {
    at: (numberOf(chunks.get(CHUNK.seconds)) ?? 0) * 1_000 + microseconds / 1_000,
    sourceIp: textOf(source),
    sourcePort,
    destinationIp: textOf(destination),
    destinationPort,
    protocol: numberOf(chunks.get(CHUNK.protocol)) ?? 17,
    payloadType: numberOf(chunks.get(CHUNK.payloadType)) ?? 1,
    captureId: numberOf(chunks.get(CHUNK.captureId)) ?? 0,
    payload,
  };
};

const chunk = (type: number, data: Buffer): Buffer => {
  const header = Buffer.alloc(CHUNK_HEADER_BYTES);
  header.writeUInt16BE(GENERIC, 0);
  header.writeUInt16BE(type, 2);
  header.writeUInt16BE(CHUNK_HEADER_BYTES + data.length, 4);
  return Buffer.concat([header, data]);
};

const number = (type: number, size: number, value: number): Buffer => {
  const data = Buffer.alloc(size);
  data.writeUIntBE(value, 0, size);
  return chunk(type, data);
};

const addressBytes = (ip: string): Buffer => {
  if (!ip.includes(':')) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail] = ip.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const front = groups(head);
  const back = groups(tail ?? '');
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
};

/** @returns undefined when it would not fit into a packet */
export const encodeHep = (packet: HepPacket): Buffer | undefined => {
  const v6 = packet.sourceIp.includes(':');
  const seconds = Math.floor(packet.at / 1_000);
  const chunks = [
    number(CHUNK.family, 1, v6 ? 10 : 2),
    number(CHUNK.protocol, 1, packet.protocol),
    chunk(v6 ? CHUNK.sourceV6 : CHUNK.sourceV4, addressBytes(packet.sourceIp)),
    chunk(v6 ? CHUNK.destinationV6 : CHUNK.destinationV4, addressBytes(packet.destinationIp)),
    number(CHUNK.sourcePort, 2, packet.sourcePort),
    number(CHUNK.destinationPort, 2, packet.destinationPort),
    number(CHUNK.seconds, 4, seconds),
    number(CHUNK.microseconds, 4, Math.floor((packet.at - seconds * 1_000) * 1_000)),
    number(CHUNK.payloadType, 1, packet.payloadType),
    number(CHUNK.captureId, 4, packet.captureId),
  ];
  if (packet.payload.length > MAX_PAYLOAD_BYTES - CHUNK_HEADER_BYTES) return undefined;
  const header = Buffer.alloc(HEP_HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  const body = Buffer.concat([...chunks, chunk(CHUNK.payload, packet.payload)]);
  if (HEP_HEADER_BYTES + body.length > MAX_HEP_BYTES) return undefined;
  header.writeUInt16BE(HEP_HEADER_BYTES + body.length, 4);
  return Buffer.concat([header, body]);
};
