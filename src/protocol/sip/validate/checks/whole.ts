import {
  isNumberWithin,
  MAX_CSEQ,
  MAX_DELTA_SECONDS,
  MAX_MAX_FORWARDS,
  MAX_PORT,
  numberOf,
  scanDigits,
  scanHost,
  scanToken,
  sipSchemeChars,
  skipUserinfo,
} from '../../grammar/index.ts';
import { headerIdOf } from '../../message/index.ts';
import type { SipMessage } from '../../message/index.ts';
import type { Report } from '../report.ts';
import { checkParameters } from './parameters.ts';

/** What a check must know of how the message came. */
export interface Arrival {
  readonly stream: boolean;
  /** Only the beginning of the message is here. */
  readonly cut: boolean;
}

const id = {
  via: headerIdOf('via'),
  from: headerIdOf('from'),
  to: headerIdOf('to'),
  callId: headerIdOf('call-id'),
  cseq: headerIdOf('cseq'),
  contact: headerIdOf('contact'),
  maxForwards: headerIdOf('max-forwards'),
  contentLength: headerIdOf('content-length'),
  contentType: headerIdOf('content-type'),
  expires: headerIdOf('expires'),
};

const MAGIC_COOKIE = 'z9hG4bK';

/** RFC 3261 8.1.1.7: a branch begins with the cookie, and something must stand behind it (RFC 4475 3.2.1). */
const hasBranch = (message: SipMessage, line: number): boolean => {
  const { text } = message;
  const to = message.valueEnd(line);
  for (let at = text.indexOf(';', message.valueStart(line)); at >= 0 && at < to; at = text.indexOf(';', at + 1)) {
    let name = at + 1;
    while (name < to && text.charCodeAt(name) <= 0x20) name += 1;
    if ((text.charCodeAt(name) | 0x20) !== 0x62 || text.slice(name, name + 6).toLowerCase() !== 'branch') continue;
    let value = name + 6;
    while (value < to && (text.charCodeAt(value) <= 0x20 || text.charCodeAt(value) === 0x3d)) value += 1;
    return (
      scanToken(text, value, to) > value + MAGIC_COOKIE.length &&
      text.slice(value, value + MAGIC_COOKIE.length).toLowerCase() === MAGIC_COOKIE.toLowerCase()
    );
  }
  return false;
};

const COLON = 0x3a;
const LF = 0x0a;

/** The digits behind `:` at this place are a port (RFC 3986 3.2.3 has no bound, TCP and UDP have). */
const checkPort = (message: SipMessage, colon: number, to: number, report: Report): void => {
  if (message.text.charCodeAt(colon) !== COLON || colon >= to) return;
  let from = colon + 1;
  while (from < to && message.text.charCodeAt(from) <= 0x20) from += 1;
  const end = scanDigits(message.text, from, to);
  if (end < 0) return;
  const port = numberOf(message.text, from, end);
  if (port > MAX_PORT) report.hit('port_out_of_range', from);
};

/** Offset behind the host that begins here, blanks skipped. */
const endOfHost = (text: string, from: number, to: number): number => {
  let at = scanHost(text, from, to);
  while (at >= 0 && at < to && text.charCodeAt(at) <= 0x20) at += 1;
  return at < 0 ? to : at;
};

/** Port of the topmost Via: behind the host, which stands behind the last part of the protocol. */
const checkViaPort = (message: SipMessage, line: number, report: Report): void => {
  const { text } = message;
  const to = message.valueEnd(line);
  let at = message.valueStart(line);
  for (let slashes = 0; at < to && slashes < 2; at += 1) if (text.charCodeAt(at) === 0x2f) slashes += 1;
  while (at < to && text.charCodeAt(at) <= 0x20) at += 1;
  while (at < to && text.charCodeAt(at) > 0x20) at += 1;
  while (at < to && text.charCodeAt(at) <= 0x20) at += 1;
  checkPort(message, endOfHost(text, at, to), to, report);
};

const checkRequestPort = (message: SipMessage, report: Report): void => {
  if (message.start.kind !== 'request') return;
  const { from, to } = message.start.uri;
  const scheme = sipSchemeChars(message.text, from, to);
  if (scheme === 0) return;
  const host = skipUserinfo(message.text, from + scheme, to, false);
  checkPort(message, endOfHost(message.text, host, to), to, report);
};

const checkCseq = (message: SipMessage, line: number, report: Report): void => {
  const { text, start } = message;
  const from = message.valueStart(line);
  const to = message.valueEnd(line);
  const digits = scanDigits(text, from, to);
  if (digits < 0) return;
  if (!isNumberWithin(text, from, digits, MAX_CSEQ)) report.hit('cseq_out_of_range', from);
  if (start.kind === 'reply') return;
  let method = digits;
  while (method < to && text.charCodeAt(method) <= 0x20) method += 1;
  if (to - method !== start.method.length || !text.startsWith(start.method, method)) {
    report.hit('cseq_method_mismatch', method);
  }
};

const checkNumber = (message: SipMessage, headerId: number, most: number, rule: string, report: Report): void => {
  const line = message.first(headerId);
  if (line < 0) return;
  const from = message.valueStart(line);
  const to = message.valueEnd(line);
  if (scanDigits(message.text, from, to) === to && !isNumberWithin(message.text, from, to, most))
    report.hit(rule, from);
};

const checkBody = (message: SipMessage, { stream, cut }: Arrival, report: Report): void => {
  if (!message.complete) {
    if (!cut) report.hit('unterminated_headers', message.text.length);
    return;
  }
  // alone it ends the headers for some readers and is nothing to others
  if (message.text.charCodeAt(message.headersEnd) === LF) report.hit('bare_lf', message.headersEnd);
  const available = message.bytes.length - message.bodyStart;
  const line = message.first(id.contentLength);
  let announced = available;
  if (line < 0) {
    if (stream) report.hit('missing_content_length', message.bodyStart);
  } else {
    const from = message.valueStart(line);
    const to = message.valueEnd(line);
    if (scanDigits(message.text, from, to) !== to) return;
    announced = numberOf(message.text, from, to);
    if (announced > available && !cut) report.hit('content_length_mismatch', from);
    // on a stream the next message begins there
    if (announced < available && !stream) report.hit('trailing_bytes', message.bodyStart + announced);
  }
  if (announced > 0 && available > 0 && message.first(id.contentType) < 0) {
    report.hit('missing_content_type', message.bodyStart);
  }
};

/** What concerns several lines, or the lack of one. */
export const checkWhole = (message: SipMessage, arrival: Arrival, report: Report): void => {
  const { start } = message;
  const end = message.headersEnd;
  checkRequestPort(message, report);
  const via = message.first(id.via);
  const from = message.first(id.from);
  const to = message.first(id.to);
  const cseq = message.first(id.cseq);
  if (via < 0) report.hit('missing_via', end);
  else {
    checkParameters(message, via, report);
    checkViaPort(message, via, report);
    if (!hasBranch(message, via)) report.hit('via_invalid_branch', message.valueStart(via));
  }
  if (from < 0) report.hit('missing_from', end);
  else {
    checkParameters(message, from, report);
    if (!hasTag(message, from)) report.hit('missing_from_tag', message.valueStart(from));
  }
  if (to < 0) report.hit('missing_to', end);
  else checkParameters(message, to, report);
  if (message.first(id.callId) < 0) report.hit('missing_call_id', end);
  if (cseq < 0) report.hit('missing_cseq', end);
  else checkCseq(message, cseq, report);
  if (start.kind === 'request') {
    if (message.first(id.maxForwards) < 0) report.hit('missing_max_forwards', end);
    if (start.method === 'INVITE' && message.first(id.contact) < 0) report.hit('missing_contact', end);
  }
  checkNumber(message, id.maxForwards, MAX_MAX_FORWARDS, 'max_forwards_out_of_range', report);
  checkNumber(message, id.expires, MAX_DELTA_SECONDS, 'expires_out_of_range', report);
  checkBody(message, arrival, report);
};

/** Cheap: whether `;tag` stands behind the last `>`, or anywhere where there is none. */
const hasTag = (message: SipMessage, line: number): boolean => {
  const value = message.text.slice(message.valueStart(line), message.valueEnd(line));
  return /;\s{0,64}tag\s{0,64}=/i.test(value.slice(Math.max(0, value.lastIndexOf('>'))));
};
