import type { Transport } from '../../model/index.ts';
import { HEP_HEADER_BYTES, decodeHep, hepLength, isHep3 } from '../hep.ts';
import type { CapturedMessage, Drop } from './captured-message.ts';
import type { Intake } from './intake.ts';

const SIP = 1;
const TRANSPORTS: Readonly<Record<number, Transport>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** The message in a HEP packet; what is no SIP is left out and counted. */
export const messageOfHep = (bytes: Buffer, drop: Drop): CapturedMessage | undefined => {
  const packet = decodeHep(bytes);
  if (typeof packet === 'string') {
    drop(packet);
    return undefined;
  }
  const transport = TRANSPORTS[packet.protocol];
  if (packet.payloadType !== SIP || transport === undefined) {
    drop('hep-not-sip');
    return undefined;
  }
  return {
    at: packet.at,
    from: { ip: packet.sourceIp, port: packet.sourcePort },
    to: { ip: packet.destinationIp, port: packet.destinationPort },
    transport,
    bytes: packet.payload,
    cut: false,
  };
};

/** HEP packets back to back, as a connection carries them. After a broken one it goes on at the next mark. */
export const readHepFile = function* (intake: Intake, drop: Drop): Generator<CapturedMessage> {
  let inStep = true;
  for (;;) {
    const header = intake.peek(HEP_HEADER_BYTES);
    if (header.length < HEP_HEADER_BYTES) {
      if (header.length > 0 && inStep) drop('truncated-file');
      return;
    }
    if (!isHep3(header) || hepLength(header) < HEP_HEADER_BYTES) {
      if (inStep) drop('hep-version');
      inStep = false;
      intake.take(1);
      continue;
    }
    inStep = true;
    const bytes = intake.take(hepLength(header));
    if (bytes === undefined) return drop('truncated-file');
    const message = messageOfHep(bytes, drop);
    if (message !== undefined) yield message;
  }
};
