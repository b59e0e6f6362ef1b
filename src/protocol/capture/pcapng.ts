import type { EpochMs } from '../../model/index.ts';
import type { Drop } from './captured-message.ts';
import type { Intake } from './intake.ts';
import type { LinkFrame } from './link-layer.ts';
import { MAX_RECORD_BYTES } from './pcap.ts';

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Options of an interface. */
const TSRESOL = 9;
const TSOFFSET = 14;

/** A packet with its options; blocks of other kinds are left out, whatever their size. */
const MAX_BLOCK_BYTES = MAX_RECORD_BYTES + 65_536;
const MAX_INTERFACES = 4_096;

interface Interface {
  readonly linkType: number;
  readonly msPerUnit: number;
  readonly offsetMs: number;
}

export const isPcapng = (start: Buffer): boolean => start.length >= 4 && start.readUInt32BE(0) === SECTION;

/** Reads numbers in the byte order of the section. */
class Fields {
  readonly #bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer, little: boolean) {
    this.#bytes = bytes;
    this.#little = little;
  }

  get length(): number {
    return this.#bytes.length;
  }

  u16(at: number): number {
    return this.#little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  u32(at: number): number {
    return this.#little ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  i64(at: number): number {
    return Number(this.#little ? this.#bytes.readBigInt64LE(at) : this.#bytes.readBigInt64BE(at));
  }

  u8(at: number): number {
    return this.#bytes.readUInt8(at);
  }

  bytes(from: number, size: number): Buffer | undefined {
    return from + size <= this.#bytes.length ? this.#bytes.subarray(from, from + size) : undefined;
  }
}

const readInterface = (fields: Fields): Interface | undefined => {
  if (fields.length < 8) return undefined;
  let msPerUnit = 1e-3;
  let offsetMs = 0;
  for (let at = 8; at + 4 <= fields.length;) {
    const code = fields.u16(at);
    const size = fields.u16(at + 2);
    const value = at + 4;
    if (code === 0 || value + size > fields.length) break;
    if (code === TSRESOL && size === 1) {
      const resolution = fields.u8(value);
      msPerUnit = 1_000 * (resolution & 0x80 ? 2 ** -(resolution & 0x7f) : 10 ** -resolution);
    } else if (code === TSOFFSET && size === 8) offsetMs = fields.i64(value) * 1_000;
    at = value + Math.ceil(size / 4) * 4;
  }
  return { linkType: fields.u16(0), msPerUnit, offsetMs };
};

/** Frames of a pcapng file: sections of either byte order, each with its interfaces and their time resolutions. */
export const readPcapng = function* (intake: Intake, drop: Drop): Generator<LinkFrame> {
  let little = false;
  let interfaces: (Interface | undefined)[] = [];
  let last: EpochMs = 0;

  const frameOf = (from: Interface | undefined, time: number | undefined, bytes: Buffer | undefined) => {
    if (from === undefined || bytes === undefined) {
      drop('broken-block');
      return undefined;
    }
    const at = time === undefined ? last : time * from.msPerUnit + from.offsetMs;
    // resolutions go down to 10^-127 seconds: such a time is no time
    if (Number.isFinite(at)) last = at;
    return { at: last, linkType: from.linkType, bytes, from: 0, to: bytes.length };
  };

  const packetOf = (type: number, fields: Fields): LinkFrame | undefined => {
    if (type === SIMPLE_PACKET) {
      const held = fields.length < 4 ? 0 : Math.min(fields.u32(0), fields.length - 4);
      // it has no time of its own
      return frameOf(interfaces[0], undefined, fields.bytes(4, held));
    }
    if (fields.length < 20) return frameOf(undefined, 0, undefined);
    const from = interfaces[type === OBSOLETE_PACKET ? fields.u16(0) : fields.u32(0)];
    return frameOf(from, fields.u32(4) * 2 ** 32 + fields.u32(8), fields.bytes(20, fields.u32(12)));
  };

  for (;;) {
    const head = intake.peek(12);
    if (head.length < 12) {
      if (head.length > 0) drop('truncated-file');
      return;
    }
    const isSection = head.readUInt32BE(0) === SECTION;
    if (isSection) {
      little = head.readUInt32LE(8) === BYTE_ORDER_MAGIC;
      if (!little && head.readUInt32BE(8) !== BYTE_ORDER_MAGIC) return drop('broken-block');
      interfaces = [];
    }
    const type = little ? head.readUInt32LE(0) : head.readUInt32BE(0);
    const size = little ? head.readUInt32LE(4) : head.readUInt32BE(4);
    // the next block is found by the size of this one
    if (size < 12 || size % 4 !== 0) return drop('broken-block');
    const known = type === INTERFACE || type === OBSOLETE_PACKET || type === SIMPLE_PACKET || type === ENHANCED_PACKET;
    if (isSection || !known || size > MAX_BLOCK_BYTES) {
      if (!isSection && known) drop('record-too-large');
      if (!intake.skip(size)) return drop('truncated-file');
      continue;
    }
    const block = intake.take(size);
    if (block === undefined) return drop('truncated-file');
    const fields = new Fields(block.subarray(8, size - 4), little);
    if (type === INTERFACE) {
      if (interfaces.length < MAX_INTERFACES) interfaces.push(readInterface(fields));
      continue;
    }
    const frame = packetOf(type, fields);
    if (frame !== undefined) yield frame;
  }
};
