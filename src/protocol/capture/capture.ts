import type { CapturedMessage, Drop } from './captured-message.ts';
import { readHepFile } from './hep-messages.ts';
import { Intake } from './intake.ts';
import { messagesOf } from './packets.ts';
import { isPcap, readPcap } from './pcap.ts';
import { isPcapng, readPcapng } from './pcapng.ts';
import { isHep3 } from '../hep.ts';
import { readTimeline } from './timeline.ts';

type CaptureFormat = 'pcap' | 'pcapng' | 'hep' | 'timeline' | 'compressed';

/** A timeline may begin with lines that are broken: so far the first that is one is looked for. */
const START_BYTES = 65_536;

/** gzip, zstd, xz, bzip2: by their first bytes. */
const COMPRESSED = ['1f8b', '28b52ffd', 'fd377a58', '425a68'] as const;

/** What a file is, by its first bytes. @returns undefined: nothing that can be read here */
const captureFormat = (start: Buffer): CaptureFormat | undefined => {
  if (isPcap(start)) return 'pcap';
  if (isPcapng(start)) return 'pcapng';
  if (isHep3(start)) return 'hep';
  const magic = start.toString('hex', 0, 4);
  if (COMPRESSED.some((mark) => magic.startsWith(mark))) return 'compressed';
  const text = start.toString('latin1');
  const beginsSo = /^(?:\xef\xbb\xbf)?[ \t\r\n]*\{/.test(text);
  return beginsSo || (!text.includes('\0') && /\n[ \t\r]*\{[ \t]*"/.test(text)) ? 'timeline' : undefined;
};

/**
 * Messages of a capture, in the order of the file. Packets that are no SIP are handed out as well when they are UDP: only
 * who knows the server can say whether they were meant for it.
 */
export const readCapture = (chunks: Iterable<Buffer>, drop: Drop): Iterable<CapturedMessage> => {
  const intake = new Intake(chunks);
  switch (captureFormat(intake.peek(START_BYTES))) {
    case 'pcap':
      return messagesOf(readPcap(intake, drop), drop);
    case 'pcapng':
      return messagesOf(readPcapng(intake, drop), drop);
    case 'hep':
      return readHepFile(intake, drop);
    case 'timeline':
      return readTimeline(intake, drop);
    case 'compressed':
      drop('compressed');
      return [];
    case undefined:
      drop('unknown-format');
      return [];
  }
};
