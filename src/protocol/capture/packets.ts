import { isHep3 } from '../hep.ts';
import type { CapturedMessage, Drop } from './captured-message.ts';
import { createFragments } from './fragments.ts';
import { messageOfHep } from './hep-messages.ts';
import { createIpReader } from './ip-packet.ts';
import { ipPacketAt } from './link-layer.ts';
import type { LinkFrame } from './link-layer.ts';
import { TcpStreams } from './tcp-streams.ts';

const TCP = 6;
const UDP = 17;
const UDP_HEADER_BYTES = 8;
/** IP in IP (RFC 2003, RFC 4213): a tunnel, or a mirror; one in another is enough. */
const TUNNELS = new Set([4, 41]);
const MAX_TUNNELS = 2;
/** Where capture agents send HEP; a datagram to another port that begins like HEP comes from anybody. */
const HEP_PORT = 9_060;

/** Messages in the frames of a packet capture. */
export const messagesOf = function* (frames: Iterable<LinkFrame>, drop: Drop): Generator<CapturedMessage> {
  const readIp = createIpReader();
  const reassemble = createFragments(drop);
  const streams = new TcpStreams(drop);
  for (const frame of frames) {
    const start = ipPacketAt(frame);
    if (typeof start === 'string') {
      drop(start);
      continue;
    }
    const read = readIp(frame.bytes, start, frame.to);
    if (typeof read === 'string') {
      drop(read);
      continue;
    }
    let whole = reassemble(read, frame.at);
    for (let depth = 0; whole !== undefined && TUNNELS.has(whole.protocol) && depth < MAX_TUNNELS; depth += 1) {
      const inner = whole.from === whole.to ? 'ip-header' : readIp(whole.bytes, whole.from, whole.to);
      if (typeof inner === 'string') drop(inner);
      whole = typeof inner === 'string' ? undefined : reassemble(inner, frame.at);
    }
    if (whole === undefined) continue;
    const { protocol, bytes, source, destination } = whole;
    if (protocol !== UDP && protocol !== TCP) {
      drop('not-udp-or-tcp');
      continue;
    }
    const size = whole.to - whole.from;
    if (size < UDP_HEADER_BYTES) {
      drop('udp-header');
      continue;
    }
    const from = { ip: source, port: bytes.readUInt16BE(whole.from) };
    const to = { ip: destination, port: bytes.readUInt16BE(whole.from + 2) };
    if (protocol === UDP) {
      const told = bytes.readUInt16BE(whole.from + 4);
      const end = told < UDP_HEADER_BYTES ? size : told;
      const datagram = bytes.subarray(whole.from + UDP_HEADER_BYTES, whole.from + Math.min(end, size));
      if (to.port === HEP_PORT && isHep3(datagram)) {
        const message = messageOfHep(datagram, drop);
        if (message !== undefined) yield message;
      } else yield { at: frame.at, from, to, transport: 'udp', bytes: datagram, cut: end > size };
      continue;
    }
    const segment = bytes.subarray(whole.from, whole.to);
    for (const message of streams.push(`${source} ${from.port}`, `${destination} ${to.port}`, segment))
      yield { at: frame.at, from, to, transport: 'tcp', bytes: message, cut: false };
  }
};
