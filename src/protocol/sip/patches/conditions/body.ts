import { headerIdOf } from '../../message/index.ts';
import type { SipMessage } from '../../message/index.ts';

const CONTENT_TYPE = headerIdOf('content-type');
const SPACE = 0x20;
const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;

/** Media types longer than this are no SDP and no multipart. */
const MAX_TYPE_CHARS = 256;

const contentType = (message: SipMessage): string => {
  const line = message.first(CONTENT_TYPE);
  return line < 0 ? '' : message.value(line).slice(0, MAX_TYPE_CHARS);
};

const A = 0x61;
const M = 0x6d;

/** True when the media type begins with this lower-case letter, in any case: most messages need no further look. */
const typeStarts = (message: SipMessage, letter: number): boolean => {
  const line = message.first(CONTENT_TYPE);
  return line >= 0 && (message.text.charCodeAt(message.valueStart(line)) | 0x20) === letter;
};

/** `boundary=` with its value (RFC 2046 5.1.1: 1 to 70 characters), quoted or not. */
const BOUNDARY = /[;\s]boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/** AST-2017-003: PJSIP took a body without boundaries for one with parts of negative length. */
export const malformedMultipart = (message: SipMessage): number => {
  if (!typeStarts(message, M)) return -1;
  const type = contentType(message);
  if (!/^multipart\s*\//i.test(type) || message.bodyStart >= message.text.length) return -1;
  const boundary = BOUNDARY.exec(type);
  const delimiter = boundary?.[1] ?? boundary?.[2];
  if (delimiter === undefined) return message.bodyStart;
  return message.text.includes(`--${delimiter}--`, message.bodyStart) ? -1 : message.bodyStart;
};

/** True for a message whose body may be SDP, or parts of which one is. Checked once for all conditions on bodies. */
export const hasBodyToRead = (message: SipMessage): boolean =>
  message.bodyStart < message.text.length && (typeStarts(message, A) || typeStarts(message, M));

/** Looks at a line of the body between two offsets; its prefix is left out. */
type LineTest = (message: SipMessage, from: number, end: number) => boolean;

/**
 * Calls `look` with what follows `prefix` in each line that begins so; the first offset that it finds, or -1. LF and CR
 * each end a line, as PJSIP reads it. `look` never searches beyond the line: many lines would cost their square.
 */
const inLines =
  (prefix: string, look: LineTest) =>
  (message: SipMessage): number => {
    const { bytes, text, bodyStart } = message;
    const size = bytes.length;
    for (let at = text.indexOf(prefix, bodyStart); at >= 0; at = text.indexOf(prefix, at + 1)) {
      const before = bytes[at - 1];
      if (at > bodyStart && before !== LF && before !== CR) continue;
      let end = at + prefix.length;
      while (end < size && bytes[end] !== LF && bytes[end] !== CR) end += 1;
      if (look(message, at + prefix.length, end)) return at;
      at = end - 1;
    }
    return -1;
  };

/** Offset of this byte, or -1. */
const seek = (bytes: Uint8Array, code: number, from: number, end: number): number => {
  for (let at = from; at < end; at += 1) if (bytes[at] === code) return at;
  return -1;
};

/** `a=fmtp:<format> <parameters>` (RFC 8866 6.15). CVE-2018-1000099 had NUL where the colon belongs. Some phones put a blank behind it. */
export const malformedFmtp = inLines('a=fmtp', ({ bytes }, from, end) => {
  if (from >= end || bytes[from] !== COLON) return true;
  let blank = true;
  for (let at = from + 1; at < end; at += 1) {
    if (bytes[at] === 0) return true;
    if (bytes[at]! > SPACE) blank = false;
  }
  return blank;
});

const INT32_MAX = 2_147_483_647;

/** `RTP/AVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVPF`, `TCP/RTP/AVP`. */
const isRtp = (protocol: string): boolean => protocol.startsWith('RTP/') || protocol.includes('/RTP/');

/** True when one of the words is a number beyond the limit. */
const numberBeyond = (bytes: Uint8Array, from: number, end: number, limit: number): boolean => {
  let seen = 0;
  let digits = true;
  for (let at = from; at < end; at += 1) {
    const code = bytes[at]!;
    if (code === SPACE) {
      if (digits && seen > limit) return true;
      seen = 0;
      digits = true;
    } else if (code >= 0x30 && code <= 0x39) seen = seen * 10 + code - 0x30;
    else digits = false;
  }
  return digits && seen > limit;
};

const ZERO = 0x30;

/** Up to sixteen zeros, and what stands behind a slash. */
const REJECTED = /^0{1,16}(?:\/|$)/;

/**
 * `m=<media> <port> <proto> <format> …` (RFC 8866 5.14). CVE-2018-1000098 was the format 4294967296. The formats of a
 * stream that is rejected by port 0 are ignored (RFC 3264 section 6).
 */
export const formatAbove = (payloadType: number) =>
  inLines('m=', ({ bytes, text }, from, end) => {
    const port = seek(bytes, SPACE, from, end);
    const protocol = port < 0 ? -1 : seek(bytes, SPACE, port + 1, end);
    const formats = protocol < 0 ? -1 : seek(bytes, SPACE, protocol + 1, end);
    if (formats < 0 || (bytes[port + 1] === ZERO && REJECTED.test(text.slice(port + 1, protocol)))) return false;
    return numberBeyond(
      bytes,
      formats + 1,
      end,
      isRtp(text.slice(protocol + 1, formats + 1)) ? payloadType : INT32_MAX,
    );
  });

/** The first word behind `m=`: audio, video, text, application, message, image. */
export const mediaLonger = (most: number) =>
  inLines('m=', ({ bytes }, from, end) => {
    const space = seek(bytes, SPACE, from, end);
    return (space < 0 ? end : space) - from > most;
  });

/** The address behind `c=IN IP4`. */
export const addressLonger = (most: number) =>
  inLines('c=', ({ bytes }, from, end) => {
    if (end - from <= most) return false;
    let at = end;
    while (at > from && bytes[at - 1] !== SPACE) at -= 1;
    return end - at > most;
  });
