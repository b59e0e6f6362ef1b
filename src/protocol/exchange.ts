import { OTHER_HEADER, headerIdOf } from './sip/message/index.ts';
import type { SipMessage } from './sip/message/index.ts';

/**
 * What ties requests and replies together, read of both in the same way: a sender who writes it oddly must not keep its
 * replies from being found. Missing text is empty.
 */
export interface ExchangeMarks {
  /** Of a reply; 0 when it is no number of three digits, and for requests. */
  readonly code: number;
  readonly callId: string;
  /** Number and method of CSeq. */
  readonly cseq: string;
  /** Of the topmost Via: who sent the request put it there. */
  readonly branch: string;
  /** Of dialogs: both are there, or none. */
  readonly fromTag: string;
  readonly toTag: string;
  readonly hasCredentials: boolean;
  /** Of a request's credentials, or of a reply's challenge. */
  readonly nonce: string;
  /** RFC 7616 3.3: the credentials were right but for the age of their nonce. */
  readonly stale: boolean;
  /** Value of the first Expires header. */
  readonly expires: string;
  /** Of a reply: a registrar lists every phone of a user. */
  readonly contacts: readonly string[];
}

const MAX_VALUE_CHARS = 1_024;
const MAX_CONTACTS = 32;

const MAX_PARAMETER_CHARS = 256;

const NONCE = /(?:^|[ \t,])nonce[ \t]*=[ \t]*"([^"]{1,512})"/i;
const STALE = /(?:^|[ \t,])stale[ \t]*=[ \t]*"?true/i;

const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const EQUALS = 0x3d;

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

const behindBlanks = (text: string, from: number): number => {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
};

/** @param name small letters */
const isNameAt = (text: string, at: number, name: string): boolean => {
  for (let n = 0; n < name.length; n += 1) if ((text.charCodeAt(at + n) | 0x20) !== name.charCodeAt(n)) return false;
  return true;
};

/**
 * Value of the first `;name=value` that has one, wherever it stands: both sides write it the same. Four of them are
 * read of each exchange, and by regular expressions that was a tenth of the reading.
 */
const parameterIn = (text: string, name: string): string => {
  for (let semicolon = text.indexOf(';'); semicolon >= 0; semicolon = text.indexOf(';', semicolon + 1)) {
    const at = behindBlanks(text, semicolon + 1);
    if (!isNameAt(text, at, name)) continue;
    const equals = behindBlanks(text, at + name.length);
    if (text.charCodeAt(equals) !== EQUALS) continue;
    const from = behindBlanks(text, equals + 1);
    const limit = Math.min(text.length, from + MAX_PARAMETER_CHARS);
    let to = from;
    for (; to < limit; to += 1) {
      const code = text.charCodeAt(to);
      if (code === SEMICOLON || code === COMMA || isBlank(code)) break;
    }
    if (to > from) return text.slice(from, to);
  }
  return '';
};

const VIA = headerIdOf('via');
const FROM = headerIdOf('from');
const TO = headerIdOf('to');
const CALL_ID = headerIdOf('call-id');
const CSEQ = headerIdOf('cseq');
const CONTACT = headerIdOf('contact');
const EXPIRES = headerIdOf('expires');
const AUTHORIZATION = headerIdOf('authorization');
const PROXY_AUTHORIZATION = headerIdOf('proxy-authorization');
const WWW_AUTHENTICATE = headerIdOf('www-authenticate');
const PROXY_AUTHENTICATE = headerIdOf('proxy-authenticate');

const NONE = -1;

/** Reads them in one walk over the lines; of what comes more than once the first counts. */
export const readExchangeMarks = (message: SipMessage): ExchangeMarks => {
  const { start } = message;
  const isReply = start.kind === 'reply';
  // only a reply that sets up a dialog, and a request in one, is found by its tags; contacts are those of a registrar
  const isAccepted = isReply && start.status < 300;
  const first = { via: NONE, from: NONE, to: NONE, callId: NONE, cseq: NONE, expires: NONE };
  let hasCredentials = false;
  let nonce = '';
  let stale = false;
  const contacts: string[] = [];
  const valueOf = (line: number): string => (line < 0 ? '' : message.value(line).slice(0, MAX_VALUE_CHARS));
  for (let line = 0, { count } = message; line < count; line += 1) {
    const id = message.id(line);
    if (id === OTHER_HEADER) continue;
    if (id === VIA) {
      if (first.via < 0) first.via = line;
    } else if (id === FROM) {
      if (first.from < 0) first.from = line;
    } else if (id === TO) {
      if (first.to < 0) first.to = line;
    } else if (id === CALL_ID) {
      if (first.callId < 0) first.callId = line;
    } else if (id === CSEQ) {
      if (first.cseq < 0) first.cseq = line;
    } else if (id === EXPIRES) {
      if (first.expires < 0) first.expires = line;
    } else if (id === CONTACT) {
      if (isAccepted && contacts.length < MAX_CONTACTS) contacts.push(valueOf(line));
    } else if (
      isReply
        ? id === WWW_AUTHENTICATE || id === PROXY_AUTHENTICATE
        : id === AUTHORIZATION || id === PROXY_AUTHORIZATION
    ) {
      hasCredentials = !isReply;
      const text = valueOf(line);
      if (nonce === '') nonce = NONCE.exec(text)?.[1] ?? '';
      if (isReply && !stale) stale = STALE.test(text);
    }
  }
  const toTag = isReply && !isAccepted ? '' : parameterIn(valueOf(first.to), 'tag');
  return {
    code: isReply ? start.status : 0,
    callId: valueOf(first.callId),
    cseq: valueOf(first.cseq),
    branch: parameterIn(valueOf(first.via), 'branch'),
    fromTag: toTag === '' ? '' : parameterIn(valueOf(first.from), 'tag'),
    toTag,
    hasCredentials,
    nonce,
    stale,
    expires: valueOf(first.expires),
    contacts,
  };
};

const CONTACT_EXPIRES = /;[ \t]*expires[ \t]*=[ \t]*"?(\d{1,9})/i;
const CONTACT_URI = /sips?:[^>;,? \t]{1,512}/i;
/** RFC 3261 10.2.1.1: what a registrar grants who asks for nothing is its own choice; this is usual. */
const USUAL_EXPIRES = 3_600;

/** How long the binding lives that a REGISTER asked for; 0 when it took one away, undefined when it only asked. */
export const grantedSeconds = (contact: string, expires: string, reply: ExchangeMarks): number | undefined => {
  if (contact === '') return undefined;
  const asked = CONTACT_EXPIRES.exec(contact)?.[1] ?? (/^\d{1,9}/.exec(expires)?.[0] || undefined);
  if (contact.trim() === '*' || Number(asked ?? USUAL_EXPIRES) === 0) return 0;
  const uri = CONTACT_URI.exec(contact)?.[0];
  const own = reply.contacts.find((one) => uri !== undefined && one.includes(uri)) ?? reply.contacts[0];
  const granted = own === undefined ? undefined : CONTACT_EXPIRES.exec(own)?.[1];
  if (granted !== undefined) return Number(granted);
  return Number(/^\d{1,9}/.exec(reply.expires)?.[0] ?? asked ?? USUAL_EXPIRES);
};
