import { headerIdOf } from './sip/message/index.ts';
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

const BRANCH = /;[ \t]*branch[ \t]*=[ \t]*([^;, \t]{1,256})/i;
const TAG = /;[ \t]*tag[ \t]*=[ \t]*([^;, \t]{1,256})/i;
const NONCE = /[ \t,]nonce[ \t]*=[ \t]*"([^"]{1,512})"/i;
const STALE = /[ \t,]stale[ \t]*=[ \t]*"?true/i;

const VIA = headerIdOf('via');
const FROM = headerIdOf('from');
const TO = headerIdOf('to');
const CALL_ID = headerIdOf('call-id');
const CSEQ = headerIdOf('cseq');
const CONTACT = headerIdOf('contact');
const EXPIRES = headerIdOf('expires');
const CREDENTIALS = [headerIdOf('authorization'), headerIdOf('proxy-authorization')];
const CHALLENGES = [headerIdOf('www-authenticate'), headerIdOf('proxy-authenticate')];

const NO_CONTACTS: readonly string[] = [];

export const readExchangeMarks = (message: SipMessage): ExchangeMarks => {
  const { start } = message;
  const isReply = start.kind === 'reply';
  const value = (id: number): string => {
    const line = message.first(id);
    return line < 0 ? '' : message.value(line).slice(0, MAX_VALUE_CHARS);
  };
  let hasCredentials = false;
  let nonce = '';
  let stale = false;
  for (const id of isReply ? CHALLENGES : CREDENTIALS) {
    for (let line = message.first(id); line >= 0; line = message.first(id, line + 1)) {
      hasCredentials ||= !isReply;
      const text = ` ${message.value(line).slice(0, MAX_VALUE_CHARS)}`;
      nonce ||= NONCE.exec(text)?.[1] ?? '';
      stale ||= isReply && STALE.test(text);
    }
  }
  let contacts = NO_CONTACTS;
  if (isReply && start.status < 300) {
    const found: string[] = [];
    for (
      let line = message.first(CONTACT);
      line >= 0 && found.length < MAX_CONTACTS;
      line = message.first(CONTACT, line + 1)
    )
      found.push(message.value(line).slice(0, MAX_VALUE_CHARS));
    contacts = found;
  }
  // only a reply that sets up a dialog, and a request in one, is found by its tags
  const toTag = isReply && start.status >= 300 ? '' : (TAG.exec(value(TO))?.[1] ?? '');
  return {
    code: isReply ? start.status : 0,
    callId: value(CALL_ID),
    cseq: value(CSEQ),
    branch: BRANCH.exec(value(VIA))?.[1] ?? '',
    fromTag: toTag === '' ? '' : (TAG.exec(value(FROM))?.[1] ?? ''),
    toTag,
    hasCredentials,
    nonce,
    stale,
    expires: value(EXPIRES),
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
