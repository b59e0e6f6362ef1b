import type { Drop } from './captured-message.ts';
import type { Intake } from './intake.ts';
import type { LinkFrame } from './link-layer.ts';

/** tcpdump's own limit of a record (MAXIMUM_SNAPLEN). */
export const MAX_RECORD_BYTES = 262_144;

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** The first four bytes, as they read in big endian. */
const MAGICS: Readonly<Record<number, { readonly little: boolean; readonly perMs: number }>> = {
  0xa1b2c3d4: { little: false, perMs: 1e3 },
  0xd4c3b2a1: { little: true, perMs: 1e3 },
  0xa1b23c4d: { little: false, perMs: 1e6 },
  0x4d3cb2a1: { little: true, perMs: 1e6 },
};

export const isPcap = (start: Buffer): boolean => start.length >= 4 && Object.hasOwn(MAGICS, start.readUInt32BE(0));

/** Frames of a classic pcap file, microseconds or nanoseconds, either byte order. */
export const readPcap = function* (intake: Intake, drop: Drop): Generator<LinkFrame> {
  const header = intake.take(FILE_HEADER_BYTES);
  const kind = header && MAGICS[header.readUInt32BE(0)];
  if (header === undefined || kind === undefined) return drop('truncated-file');
  const { little, perMs } = kind;
  // the upper bits say how long a frame check sequence is
  const linkType = (little ? header.readUInt32LE(20) : header.readUInt32BE(20)) & 0xffff;
  for (;;) {
    const record = intake.place(RECORD_HEADER_BYTES);
    if (record < 0) {
      if (intake.peek(1).length > 0) drop('truncated-file');
      return;
    }
    const { held } = intake;
    const seconds = little ? held.readUInt32LE(record) : held.readUInt32BE(record);
    const fraction = little ? held.readUInt32LE(record + 4) : held.readUInt32BE(record + 4);
    const size = little ? held.readUInt32LE(record + 8) : held.readUInt32BE(record + 8);
    // nothing marks where the next record starts
    if (size > MAX_RECORD_BYTES) return drop('record-too-large');
    const from = intake.place(size);
    if (from < 0) return drop('truncated-file');
    yield { at: seconds * 1_000 + fraction / perMs, linkType, bytes: intake.held, from, to: from + size };
  }
};
