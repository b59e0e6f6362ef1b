import { parse, write, type SessionDescription } from 'sdp-transform';
import { faultAt, type ValueFault } from './fault.ts';

/** A WebRTC offer with video has 5 to 10 KB; a SIP datagram cannot carry more than 64 KB. */
export const MAX_SDP_CHARS = 32_768;
/** sdp-transform tries up to 50 patterns on each line. */
export const MAX_SDP_LINES = 1_000;
/** Its patterns have `.*` and `\S*` beside each other; a line of DTLS fingerprints or ICE candidates has 200 characters. */
export const MAX_SDP_LINE_CHARS = 2_048;
/** Kamailio's and OpenSIPS' relays stop at a dozen streams or less. */
export const MAX_SDP_MEDIA = 64;

const LINE = /^[a-z]=/;

/** Position behind the last line, without line ends: many phones send an empty one too much. */
const endOfLines = (text: string, from: number, to: number): number => {
  let end = to;
  while (end > from && (text[end - 1] === '\n' || text[end - 1] === '\r')) end -= 1;
  return end;
};

/**
 * A session description (RFC 8866), taken apart by sdp-transform. It fills only names of its own grammar, never names from
 * the text. Lines it does not know are gone; numbers are numbers. Our bounds come first, as it has none.
 * @returns the description, or the fault: too large, no `v=0` at its start, a line that is no `x=…`
 */
export const readSdp = (text: string, from = 0, to = text.length): SessionDescription | ValueFault => {
  if (to - from > MAX_SDP_CHARS) return faultAt('SDP too long', from + MAX_SDP_CHARS);
  const body = text.slice(from, endOfLines(text, from, to));
  let offset = from;
  let lines = 0;
  let media = 0;
  for (const piece of body.split('\n')) {
    const line = piece.endsWith('\r') ? piece.slice(0, -1) : piece;
    lines += 1;
    if (lines > MAX_SDP_LINES) return faultAt('SDP of too many lines', offset);
    if (line.length > MAX_SDP_LINE_CHARS) return faultAt('SDP line too long', offset + MAX_SDP_LINE_CHARS);
    if (lines === 1 && line !== 'v=0') return faultAt('SDP without v=0', offset);
    if (line.includes('\r')) return faultAt('CR within an SDP line', offset + line.indexOf('\r'));
    if (line.startsWith('m=')) media += 1;
    if (media > MAX_SDP_MEDIA) return faultAt('SDP of too many media', offset);
    if (!LINE.test(line)) return faultAt('not an SDP line', offset);
    offset += piece.length + 1;
  }
  try {
    const description = parse(body);
    // an m= line that its grammar does not know leaves an entry without a type
    const isWhole = description.media.every(({ type }: { readonly type?: unknown }) => type !== undefined);
    return isWhole ? description : faultAt('SDP media line that is none', from);
  } catch {
    return faultAt('not an SDP', from);
  }
};

/** In the order of RFC 8866; what `readSdp` of it gives is the same description (a clock rate of 0 is left out). */
export const writeSdp = (description: SessionDescription): string => write(description);
