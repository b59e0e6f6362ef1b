import { isHep3 } from '../hep.ts';
import type { CapturedMessage, Drop } from './captured-message.ts';
import { createFragments } from './fragments.ts';
import { messageOfHep } from './hep-messages.ts';
import { createIpReader } from './ip-packet.ts';
import { ipPacketOf } from './link-layer.ts';
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
    const packet = ipPacketOf(frame);
    if (typeof packet === 'string') {
      drop(packet);
      continue;
    }
    const read = readIp(packet);
    if (typeof read === 'string') {
      drop(read);
      continue;
    }
    let whole = reassemble(read, frame.at);
    for (let depth = 0; whole !== undefined && TUNNELS.has(whole.protocol) && depth < MAX_TUNNELS; depth += 1) {
      const inner = whole.payload.length === 0 ? 'ip-header' : readIp(whole.payload);
      if (typeof inner === 'string') drop(inner);
      whole = typeof inner === 'string' ? undefined : reassemble(inner, frame.at);
    }
    if (whole === undefined) continue;
    const { protocol, payload, source, destination } = whole;
    if (protocol !== UDP && protocol !== TCP) {
      drop('not-udp-or-tcp');
      continue;
    }
    if (payload.length < UDP_HEADER_BYTES) {
      drop('udp-header');
      continue;
    }
    const from = { ip: source, port: payload.readUInt16BE(0) };
    const to = { ip: destination, port: payload.readUInt16BE(2) };
    if (protocol === UDP) {
      const told = payload.readUInt16BE(4);
      const end = told < UDP_HEADER_BYTES ? payload.length : told;
      const bytes = payload.subarray(UDP_HEADER_BYTES, end);
      if (to.port === HEP_PORT && isHep3(bytes)) {
        const message = messageOfHep(bytes, drop);
        if (message !== undefined) yield message;
      } else yield { at: frame.at, from, to, transport: 'udp', bytes, cut: end > payload.length };
      continue;
    }
    for (const bytes of streams.push(`${source} ${from.port}`, `${destination} ${to.port}`, payload))
      yield { at: frame.at, from, to, transport: 'tcp', bytes, cut: false };
  }
};
