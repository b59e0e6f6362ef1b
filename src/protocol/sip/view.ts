import { isAscii } from 'node:buffer';
import type { HeaderLine, PartyView, SipView } from '../../model/index.ts';
import { endOfLine, isLineBreak, walkHeaders } from './header-lines.ts';
import { isKeepAlive } from './keep-alive.ts';
import { readParameter } from './parameter.ts';
import { NOBODY, readParty } from './party.ts';
import { readRequestLine } from './request-line.ts';
import { decodeText, detachText, MAX_VALUE_CHARS } from './text.ts';
import { readUri } from './uri.ts';

/** The largest UDP datagram; whatever a stream delivers beyond it is not looked at. */
const MAX_READ_BYTES = 65_535;

/** Header lines kept. RFC 4475 `longreq` has 34 Via alone; later lines still fill the named fields. */
const MAX_HEADERS = 128;
const MAX_NAME_CHARS = 64;

/** Enough for the session name of an SDP body. */
const BODY_START_BYTES = 512;

/** RFC 3261 8.1.1.5: below 2^31, ten digits. */
const MAX_CSEQ_DIGITS = 10;

/** Why bytes were not read as a request. `detail` holds our own words only. */
export interface SipFault {
  readonly fault: 'empty' | 'keep-alive' | 'not-sip' | 'reply' | 'no-headers';
  readonly detail: string;
}

type NamedField = 'via' | 'from' | 'to' | 'callId' | 'cseq' | 'userAgent' | 'contact' | 'credentials';

/** The headers that have a field of their own, with their compact forms (RFC 3261 7.3.3). */
const NAMED: ReadonlyMap<string, NamedField> = new Map([
  ['via', 'via'],
  ['v', 'via'],
  ['from', 'from'],
  ['f', 'from'],
  ['to', 'to'],
  ['t', 'to'],
  ['call-id', 'callId'],
  ['i', 'callId'],
  ['cseq', 'cseq'],
  ['user-agent', 'userAgent'],
  ['contact', 'contact'],
  ['m', 'contact'],
  ['authorization', 'credentials'],
  ['proxy-authorization', 'credentials'],
]);
const LONGEST_NAMED_CHARS = 'proxy-authorization'.length;

const fault = (kind: SipFault['fault'], detail: string): SipFault => ({ fault: kind, detail });

export const isSipFault = (read: SipView | SipFault): read is SipFault => 'fault' in read;

/** Bounds a value; what is not known to be ASCII is decoded first. */
const keepText = (text: string, ascii: boolean): string => {
  if (ascii && text.length <= MAX_VALUE_CHARS) return text;
  return ascii ? text.slice(0, MAX_VALUE_CHARS) : decodeText(text);
};

/** For the values by which sources are remembered: they outlive the message, so they must not hold on to it. */
const keepName = (text: string, ascii: boolean): string => detachText(keepText(text, ascii));

const readCseq = (value: string): number => {
  let digits = 0;
  while (digits <= MAX_CSEQ_DIGITS && value.charCodeAt(digits) >= 0x30 && value.charCodeAt(digits) <= 0x39) digits += 1;
  return digits === 0 || digits > MAX_CSEQ_DIGITS ? -1 : Number(value.slice(0, digits));
};

/** Username of digest credentials (RFC 7616 3.4); other schemes have none. */
const readUsername = (credentials: string): string =>
  credentials.slice(0, 7).toLowerCase() === 'digest ' ? readParameter(credentials, 'username', 7, ',') : '';

const keepParty = (value: string | undefined, ascii: boolean): PartyView => {
  if (value === undefined) return NOBODY;
  const party = readParty(value);
  return {
    display: keepText(party.display, ascii),
    user: keepName(party.user, ascii),
    host: keepText(party.host, ascii),
    tag: keepText(party.tag, ascii),
  };
};

/**
 * Reads a SIP request: bounded, in one pass, tolerant. It never throws and never judges validity; of a header that
 * comes more than once, the first fills the named field (as Kamailio reads it) while `headers` shows each. User parts
 * stay percent-encoded. Values are read in full and then cut, so that padding cannot hide a tag or a user.
 */
export const readSip = (bytes: Buffer, options: { readonly maxHeaders?: number } = {}): SipView | SipFault => {
  if (bytes.length === 0) return fault('empty', 'no bytes');
  if (isKeepAlive(bytes)) return fault('keep-alive', 'keep-alive');
  const size = Math.min(bytes.length, MAX_READ_BYTES);
  const ascii = isAscii(size === bytes.length ? bytes : bytes.subarray(0, size));
  const text = bytes.toString('latin1', 0, size);
  let start = 0;
  while (start < size && isLineBreak(text, start)) start += 1;
  let lf = text.indexOf('\n', start);
  if (lf < 0) lf = size;
  const firstLine = text.slice(start, endOfLine(text, start, lf));
  if (firstLine.slice(0, 4).toUpperCase() === 'SIP/') return fault('reply', 'a SIP reply');
  const requestLine = readRequestLine(firstLine);
  if (requestLine === undefined) return fault('not-sip', 'the first line is no SIP request line');

  const maxHeaders = options.maxHeaders ?? MAX_HEADERS;
  const headers: HeaderLine[] = [];
  const named: Partial<Record<NamedField, string>> = {};
  let seen = 0;
  let authUser = '';
  const bodyStart = walkHeaders(text, lf + 1, (name, value) => {
    seen += 1;
    if (headers.length < maxHeaders) {
      headers.push({
        name: keepText(name, ascii).slice(0, MAX_NAME_CHARS),
        value: keepText(value, ascii),
      });
    }
    if (name.length > LONGEST_NAMED_CHARS) return;
    const field = NAMED.get(name.toLowerCase());
    if (field === undefined) return;
    if (field === 'credentials' && authUser === '') authUser = readUsername(value);
    named[field] ??= value;
  });
  if (seen === 0) return fault('no-headers', 'a request line without headers');

  const requestUri = readUri(requestLine.uri);
  const via = named.via ?? '';
  const viaParameters = via.indexOf(';');
  const userAgent = keepText(named.userAgent ?? '', ascii);
  return {
    method: detachText(requestLine.method),
    requestUri: keepText(requestLine.uri, ascii),
    requestUser: keepName(requestUri.user, ascii),
    requestHost: keepText(requestUri.host, ascii),
    from: keepParty(named.from, ascii),
    to: keepParty(named.to, ascii),
    callId: keepName(named.callId ?? '', ascii),
    cseq: readCseq(named.cseq ?? ''),
    userAgent,
    userAgents: userAgent === '' ? [] : [userAgent],
    contact: keepText(named.contact ?? '', ascii),
    viaBranch: viaParameters < 0 ? '' : keepText(readParameter(via, 'branch', viaParameters + 1, ';'), ascii),
    authUser: keepName(authUser, ascii),
    headers,
    bodyStart: keepText(text.slice(bodyStart, bodyStart + BODY_START_BYTES), ascii),
    tricks: [],
  };
};
