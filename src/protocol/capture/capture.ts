import type { CapturedMessage, Drop } from './captured-message.ts';
import { readHepFile } from './hep-messages.ts';
import { Intake } from './intake.ts';
import { messagesOf } from './packets.ts';
import { isPcap, readPcap } from './pcap.ts';
import { isPcapng, readPcapng } from './pcapng.ts';
import { isHep3 } from '../hep.ts';
import { readTimeline } from './timeline.ts';

type CaptureFormat = 'pcap' | 'pcapng' | 'hep' | 'timeline';

/** What a file is, by its first bytes (16 are enough). @returns undefined: nothing that can be read here */
const captureFormat = (start: Buffer): CaptureFormat | undefined => {
  if (isPcap(start)) return 'pcap';
  if (isPcapng(start)) return 'pcapng';
  if (isHep3(start)) return 'hep';
  return /^(?:\xef\xbb\xbf)?[ \t\r\n]*\{/.test(start.toString('latin1', 0, 16)) ? 'timeline' : undefined;
};

/**
 * Messages of a capture, in the order of the file. Packets that are no SIP are handed out as well when they are UDP: only
 * who knows the server can say whether they were meant for it.
 */
export const readCapture = (chunks: Iterable<Buffer>, drop: Drop): Iterable<CapturedMessage> => {
  const intake = new Intake(chunks);
  switch (captureFormat(intake.peek(16))) {
    case 'pcap':
      return messagesOf(readPcap(intake, drop), drop);
    case 'pcapng':
      return messagesOf(readPcapng(intake, drop), drop);
    case 'hep':
      return readHepFile(intake, drop);
    case 'timeline':
      return readTimeline(intake, drop);
    case undefined:
      drop('unknown-format');
      return [];
  }
};
