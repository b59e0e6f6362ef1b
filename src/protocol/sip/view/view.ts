import type { HeaderLine, PartyView, SipView } from '../../../model/index.ts';
import { decodeText, headerIdOf, isParseFault, LINE, MAX_VALUE_CHARS, parseSip } from '../message/index.ts';
import type { ParseFault, SipMessage, Span } from '../message/index.ts';
import { locate } from './locate.ts';
import { nameCodes, readParameter } from './parameter.ts';
import { readParty } from './party.ts';
import { hidesLetters, readTricks } from './tricks.ts';
import { readUriSpan } from './uri.ts';

/** Header lines shown. RFC 4475 `longreq` has 34 Via alone; later lines still fill the named fields. */
const MAX_HEADERS = 128;
const MAX_NAME_CHARS = 64;

/** User-Agent lines judged: a second one must not hide the first. */
const MAX_USER_AGENTS = 4;

/** Enough for the session name of an SDP body. */
const BODY_START_BYTES = 512;

/** RFC 3261 8.1.1.5: below 2^31, ten digits. */
const MAX_CSEQ_DIGITS = 10;

/** V8 copies shorter slices by itself; longer ones keep the whole message alive for as long as they live. */
const FIRST_SHARED_SLICE_CHARS = 13;

/** Why bytes were not read as a request. `detail` holds our own words only. */
export interface SipFault {
  readonly fault: ParseFault['fault'] | 'reply';
  readonly detail: string;
}

export const isSipFault = (read: SipView | SipFault): read is SipFault => 'fault' in read;

const NOBODY: PartyView = { display: '', user: '', host: '', tag: '' };

const NO_TRICKS: readonly string[] = [];

const USER_AGENT = headerIdOf('user-agent');
const AUTHORIZATION = headerIdOf('authorization');
const PROXY_AUTHORIZATION = headerIdOf('proxy-authorization');

const BRANCH = nameCodes('branch');
const USERNAME = nameCodes('username');

/** Bounds a value; what is not known to be ASCII is decoded first. */
const keepText = (text: string, ascii: boolean): string => {
  if (ascii && text.length <= MAX_VALUE_CHARS) return text;
  return ascii ? text.slice(0, MAX_VALUE_CHARS) : decodeText(text);
};

/**
 * A piece of text in memory of its own, for the values by which sources are remembered: names and Call-IDs are kept in
 * tables long after their message, and a mere slice would hold up to 64 KiB each.
 */
const keepName = (message: SipMessage, text: string, from: number, to: number): string => {
  if (!message.ascii) return Buffer.from(decodeText(text.slice(from, to)), 'utf8').toString('utf8');
  const end = Math.min(to, from + MAX_VALUE_CHARS);
  if (end - from < FIRST_SHARED_SLICE_CHARS) return text.slice(from, end);
  // two copies joined are cheaper than one through a buffer
  const middle = from + FIRST_SHARED_SLICE_CHARS - 1;
  if (end - middle < FIRST_SHARED_SLICE_CHARS) return text.slice(from, middle) + text.slice(middle, end);
  if (text === message.text) return message.bytes.toString('latin1', from, end);
  return Buffer.from(text.slice(from, end), 'latin1').toString('latin1');
};

const readCseq = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from;
  let number = 0;
  while (at < to && at - from <= MAX_CSEQ_DIGITS) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
    at += 1;
  }
  return at === from || at - from > MAX_CSEQ_DIGITS ? -1 : number;
};

const cseqOf = (message: SipMessage, line: number): number => {
  if (!isFolded(message, line)) return readCseq(message.bytes, message.valueStart(line), message.valueEnd(line));
  const { bytes, from, to } = valueSpan(message, line);
  return readCseq(bytes, from, to);
};

/** Any white space ends the scheme, as servers read it. */
const isDigest = (text: string, from: number): boolean => /^digest\s/i.test(text.slice(from, from + 7));

/**
 * The last username, as Kamailio reads it, without the domain that it leaves out of `$au`: what is written before it must
 * not hide who is meant.
 */
const lastUsername = ({ bytes, text, to }: Value, from: number): string => {
  const user = readParameter(bytes, text, USERNAME, from, to, ',', 'last');
  const domain = user.indexOf('@');
  return domain > 0 ? user.slice(0, domain) : user;
};

/** A header's value: the same as bytes, which are quicker to look through, and as text, which is quicker to cut. */
interface Value extends Span {
  readonly bytes: Uint8Array;
  readonly text: string;
}

const isFolded = (message: SipMessage, line: number): boolean => (message.flags(line) & LINE.folded) !== 0;

/** Bounds of a header's value; folds are resolved in a copy. */
const valueSpan = (message: SipMessage, line: number): Value => {
  if (!isFolded(message, line)) {
    return { bytes: message.bytes, text: message.text, from: message.valueStart(line), to: message.valueEnd(line) };
  }
  const text = message.value(line);
  return { bytes: Buffer.from(text, 'latin1'), text, from: 0, to: text.length };
};

const partyOf = (message: SipMessage, line: number): PartyView => {
  if (line < 0) return NOBODY;
  const { ascii } = message;
  const { bytes, text, from, to } = valueSpan(message, line);
  const { display, uri, tag } = readParty(bytes, text, from, to);
  return {
    display: keepText(display, ascii),
    user: keepName(message, text, uri.userFrom, uri.userTo),
    host: keepText(text.slice(uri.hostFrom, uri.hostTo), ascii),
    tag: keepText(tag, ascii),
  };
};

/** Username of the first digest credentials at or behind a line. */
const authUserOf = (message: SipMessage, first: number): string => {
  for (let line = first; line < message.count; line += 1) {
    const id = message.id(line);
    if (id !== AUTHORIZATION && id !== PROXY_AUTHORIZATION) continue;
    const value = valueSpan(message, line);
    const user = isDigest(value.text, value.from) ? lastUsername(value, value.from + 7) : '';
    if (user !== '') return user;
  }
  return '';
};

const userAgentsOf = (message: SipMessage, first: number): readonly string[] => {
  if (first < 0) return [];
  const agents: string[] = [];
  for (let line = first; line >= 0 && agents.length < MAX_USER_AGENTS; line = message.first(USER_AGENT, line + 1)) {
    agents.push(keepText(message.value(line), message.ascii));
  }
  return agents;
};

const headersOf = (message: SipMessage, max: number): readonly HeaderLine[] => {
  const headers: HeaderLine[] = [];
  for (let line = 0; line < message.count && headers.length < max; line += 1) {
    if ((message.flags(line) & (LINE.noColon | LINE.emptyName)) !== 0) continue;
    headers.push({
      name: keepText(message.name(line), message.ascii).slice(0, MAX_NAME_CHARS),
      value: keepText(message.value(line), message.ascii),
    });
  }
  return headers;
};

/** Most requests are judged by their named fields; all header lines are made into text when somebody asks. */
class MessageView implements SipView {
  readonly method: string;
  readonly requestUri: string;
  readonly requestUser: string;
  readonly requestHost: string;
  readonly from: PartyView;
  readonly to: PartyView;
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  readonly userAgents: readonly string[];
  readonly contact: string;
  readonly viaBranch: string;
  readonly authUser: string;
  readonly bodyStart: string;
  readonly tricks: readonly string[];
  readonly #message: SipMessage;
  readonly #maxHeaders: number;
  #headers: readonly HeaderLine[] | undefined;

  constructor(message: SipMessage, start: SipMessage['start'] & { kind: 'request' }, maxHeaders: number) {
    const { text, ascii } = message;
    const where = locate(message);
    const { via, from, to, callId, cseq, contact, userAgent } = where;
    const authUser = where.credentials < 0 ? '' : authUserOf(message, where.credentials);
    this.method =
      start.method.length < FIRST_SHARED_SLICE_CHARS
        ? start.method
        : keepName(message, start.method, 0, start.method.length);
    const uri = readUriSpan(message.bytes, start.uri.from, start.uri.to);
    this.requestUri = keepText(text.slice(start.uri.from, start.uri.to), ascii);
    this.requestUser = keepName(message, text, uri.userFrom, uri.userTo);
    this.requestHost = keepText(text.slice(uri.hostFrom, uri.hostTo), ascii);
    this.from = partyOf(message, from);
    this.to = partyOf(message, to);
    if (callId < 0) this.callId = '';
    else {
      const value = valueSpan(message, callId);
      this.callId = keepName(message, value.text, value.from, value.to);
    }
    this.cseq = cseq < 0 ? -1 : cseqOf(message, cseq);
    this.userAgents = userAgentsOf(message, userAgent);
    this.userAgent = this.userAgents[0] ?? '';
    this.contact = contact < 0 ? '' : keepText(message.value(contact), ascii);
    this.viaBranch = '';
    if (via >= 0) {
      const value = valueSpan(message, via);
      const semicolon = value.text.indexOf(';', value.from);
      if (semicolon >= 0 && semicolon < value.to) {
        this.viaBranch = keepText(readParameter(value.bytes, value.text, BRANCH, semicolon + 1, value.to, ';'), ascii);
      }
    }
    this.authUser = authUser === '' ? '' : keepName(message, authUser, 0, authUser.length);
    this.tricks =
      where.odd || hidesLetters(this.requestUser) || hidesLetters(this.from.user) || hidesLetters(this.to.user)
        ? readTricks(message, [this.requestUser, this.from.user, this.to.user])
        : NO_TRICKS;
    this.bodyStart = keepText(text.slice(message.bodyStart, message.bodyStart + BODY_START_BYTES), ascii);
    this.#message = message;
    this.#maxHeaders = maxHeaders;
  }

  get headers(): readonly HeaderLine[] {
    return (this.#headers ??= headersOf(this.#message, this.#maxHeaders));
  }
}

/**
 * What detectors may read of a request: bounded, tolerant. It never throws and never judges validity; of a header that
 * comes more than once, the first fills the named field (as Kamailio reads it) while `headers` shows each. User parts
 * stay percent-encoded. Values are read in full and then cut, so that padding cannot hide a tag or a user.
 */
export const viewOf = (message: SipMessage, options: { readonly maxHeaders?: number } = {}): SipView | SipFault => {
  const { start } = message;
  if (start.kind === 'reply') return { fault: 'reply', detail: 'a SIP reply' };
  return new MessageView(message, start, options.maxHeaders ?? MAX_HEADERS);
};

/** Parses bytes and shows them to detectors. @returns the view, or why there is none */
export const readSip = (bytes: Buffer, options: { readonly maxHeaders?: number } = {}): SipView | SipFault => {
  const message = parseSip(bytes);
  return isParseFault(message) ? message : viewOf(message, options);
};
