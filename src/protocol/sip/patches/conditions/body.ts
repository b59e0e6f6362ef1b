import { headerIdOf } from '../../message/index.ts';
import type { SipMessage } from '../../message/index.ts';

const CONTENT_TYPE = headerIdOf('content-type');
const SPACE = 0x20;

/** Media types longer than this are no SDP and no multipart. */
const MAX_TYPE_CHARS = 256;

const contentType = (message: SipMessage): string => {
  const line = message.first(CONTENT_TYPE);
  return line < 0 ? '' : message.value(line).slice(0, MAX_TYPE_CHARS);
};

/** `boundary=` with its value (RFC 2046 5.1.1: 1 to 70 characters), quoted or not. */
const BOUNDARY = /[;\s]boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/** AST-2017-003: PJSIP took a body without boundaries for one with parts of negative length. */
export const malformedMultipart = (message: SipMessage): number => {
  const type = contentType(message);
  if (!/^multipart\s*\//i.test(type) || message.bodyStart >= message.text.length) return -1;
  const boundary = BOUNDARY.exec(type);
  const delimiter = boundary?.[1] ?? boundary?.[2];
  if (delimiter === undefined) return message.bodyStart;
  return message.text.includes(`--${delimiter}--`, message.bodyStart) ? -1 : message.bodyStart;
};

/** True for a message whose body the conditions look at: SDP, or parts of which one may be SDP. Checked once for all. */
export const hasBodyToRead = (message: SipMessage): boolean => {
  const line = message.first(CONTENT_TYPE);
  if (line < 0 || message.bodyStart >= message.text.length) return false;
  const from = message.valueStart(line);
  return /sdp|multipart/i.test(message.text.slice(from, Math.min(message.valueEnd(line), from + MAX_TYPE_CHARS)));
};

/** Calls `look` with each line of the body that begins so, without its line end; the first offset that it finds, or -1. */
const inLines = (
  message: SipMessage,
  prefix: string,
  look: (text: string, from: number, end: number) => boolean,
): number => {
  const { text, bodyStart } = message;
  for (let at = text.indexOf(prefix, bodyStart); at >= 0; at = text.indexOf(prefix, at + 1)) {
    const before = text.charCodeAt(at - 1);
    if (at > bodyStart && before !== 0x0a && before !== 0x0d) continue;
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    else if (text.charCodeAt(end - 1) === 0x0d) end -= 1;
    if (look(text, at + prefix.length, end)) return at;
    at = end - 1;
  }
  return -1;
};

/** `a=fmtp:<format> <parameters>` (RFC 8866 6.15). CVE-2018-1000099 had NUL where the colon belongs. */
export const malformedFmtp = (message: SipMessage): number =>
  inLines(message, 'a=fmtp', (text, from, end) => {
    if (text[from] !== ':' || from + 1 >= end || text.charCodeAt(from + 1) <= SPACE) return true;
    const nul = text.indexOf('\0', from);
    return nul >= 0 && nul < end;
  });

const INT32_MAX = 2_147_483_647;

/** `RTP/AVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVPF`, `TCP/RTP/AVP`. */
const isRtp = (text: string, from: number, end: number): boolean => {
  const at = text.indexOf('RTP/', from);
  return at >= 0 && at < end && (at === from || text.charCodeAt(at - 1) === 0x2f);
};

/** True when one of the words between two offsets is a number beyond the limit. */
const numberBeyond = (text: string, from: number, end: number, limit: number): boolean => {
  let seen = 0;
  let digits = true;
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === SPACE) {
      if (digits && seen > limit) return true;
      seen = 0;
      digits = true;
    } else if (code >= 0x30 && code <= 0x39) seen = seen * 10 + code - 0x30;
    else digits = false;
  }
  return digits && seen > limit;
};

/** `m=<media> <port> <proto> <format> …` (RFC 8866 5.14). CVE-2018-1000098 was the format 4294967296. */
export const formatAbove = (message: SipMessage, payloadType: number): number =>
  inLines(message, 'm=', (text, from, end) => {
    const port = text.indexOf(' ', from) + 1;
    const protocol = port > 0 && port < end ? text.indexOf(' ', port) + 1 : 0;
    const formats = protocol > 0 && protocol < end ? text.indexOf(' ', protocol) + 1 : 0;
    if (formats <= 0 || formats >= end) return false;
    return numberBeyond(text, formats, end, isRtp(text, protocol, formats) ? payloadType : INT32_MAX);
  });

/** The first word behind `m=`: audio, video, text, application, message, image. */
export const mediaLonger = (message: SipMessage, bytes: number): number =>
  inLines(message, 'm=', (text, from, end) => {
    const space = text.indexOf(' ', from);
    return (space < 0 || space > end ? end : space) - from > bytes;
  });

/** The address behind `c=IN IP4`. */
export const addressLonger = (message: SipMessage, bytes: number): number =>
  inLines(message, 'c=', (text, from, end) => {
    const space = text.lastIndexOf(' ', end - 1);
    return end - Math.max(space + 1, from) > bytes;
  });
