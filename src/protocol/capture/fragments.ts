import { LRUCache } from 'lru-cache';
import type { EpochMs } from '../../model/index.ts';
import type { Drop } from './captured-message.ts';
import type { IpPacket } from './ip-packet.ts';

/** RFC 791 3.1, RFC 8200 4.5: nothing larger can be meant. */
const MAX_PACKET_BYTES = 65_535;
/** RFC 8200 4.5: 60 seconds; systems wait half as long. */
const PATIENCE_MS = 30_000;
/** Packets that wait for pieces; with pieces of MAX_PACKET_BYTES each, 64 MB. */
const MAX_WAITING = 1_024;
/** A packet of 64 KB in pieces of the smallest MTU (RFC 791: 68 bytes) would have more; SIP has three. */
const MAX_PIECES = 128;

interface Waiting {
  readonly since: EpochMs;
  readonly pieces: { readonly offset: number; readonly bytes: Buffer }[];
  /** Length of the whole, once the last piece is there. */
  length: number | undefined;
  held: number;
}

/**
 * Puts packets together. Overlapping pieces are not guessed at: such a packet is dropped, as RFC 5722 wants it for IPv6,
 * because what a detector read there need not be what the server reads.
 */
export const createFragments = (drop: Drop): ((packet: IpPacket, at: EpochMs) => IpPacket | undefined) => {
  const waiting = new LRUCache<string, Waiting>({
    max: MAX_WAITING,
    disposeAfter: (_packet, _key, why) => {
      if (why === 'evict') drop('fragments-incomplete');
    },
  });

  const join = ({ pieces, length }: Waiting): Buffer | undefined => {
    pieces.sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { offset, bytes } of pieces) {
      if (offset !== end) return undefined;
      end += bytes.length;
    }
    return end === length ? Buffer.concat(pieces.map(({ bytes }) => bytes)) : undefined;
  };

  return (packet, at) => {
    const { fragment } = packet;
    if (fragment === undefined) return packet;
    const payload = packet.bytes.subarray(packet.from, packet.to);
    const key = `${packet.source} ${packet.destination} ${packet.protocol} ${fragment.id}`;
    let known = waiting.get(key);
    if (known !== undefined && at - known.since > PATIENCE_MS) {
      drop('fragments-incomplete');
      waiting.delete(key);
      known = undefined;
    }
    const end = fragment.offset + payload.length;
    if (end > MAX_PACKET_BYTES || payload.length === 0 || (fragment.more && payload.length % 8 !== 0) || packet.cut) {
      drop('fragment-broken');
      return undefined;
    }
    const entry = known ?? { since: at, pieces: [], length: undefined, held: 0 };
    if (known === undefined) waiting.set(key, entry);
    // a piece that came twice, e.g. because the capture sees it on two interfaces
    if (entry.pieces.some((piece) => piece.offset === fragment.offset && piece.bytes.equals(payload))) return undefined;
    // a copy: the chunk of the file that it stands in is not to be held
    entry.pieces.push({ offset: fragment.offset, bytes: Buffer.from(payload) });
    entry.held += payload.length;
    if (!fragment.more) entry.length = end;
    if (entry.pieces.length > MAX_PIECES || entry.held > (entry.length ?? MAX_PACKET_BYTES)) {
      drop('fragment-broken');
      waiting.delete(key);
      return undefined;
    }
    if (entry.held !== entry.length) return undefined;
    const whole = join(entry);
    waiting.delete(key);
    if (whole !== undefined) return { ...packet, bytes: whole, from: 0, to: whole.length, fragment: undefined };
    drop('fragment-broken');
    return undefined;
  };
};
