import type { parseSip } from './sip/index.ts';

type SipMessage = Exclude<ReturnType<typeof parseSip>, { fault: unknown }>;

/** What of a reply leads back to its request, and what it says about who sent that. Missing text is empty. */
export interface ReplyHead {
  /** 0 when it is no number of three digits. */
  readonly code: number;
  readonly callId: string;
  /** -1 when missing. */
  readonly cseq: number;
  readonly method: string;
  readonly branch: string;
  readonly fromTag: string;
  readonly toTag: string;
  /** Nonce of its challenge. */
  readonly nonce: string;
  /** RFC 7616 3.3: the credentials were right but for the age of their nonce. */
  readonly stale: boolean;
  /** Value of the first Expires header, -1 without one. */
  readonly expires: number;
  readonly contacts: readonly string[];
}

const MAX_VALUE_CHARS = 1_024;
/** A registrar lists every phone of a user. */
const MAX_CONTACTS = 32;

const BRANCH = /;[ \t]*branch[ \t]*=[ \t]*([^;, \t]{1,256})/i;
const TAG = /;[ \t]*tag[ \t]*=[ \t]*([^;, \t]{1,256})/i;
const CSEQ = /^(\d{1,10})[ \t]+([A-Za-z0-9.!%*_+`'~-]{1,64})/;
const NONCE = /[ \t,]nonce[ \t]*=[ \t]*"([^"]{1,512})"/i;
const STALE = /[ \t,]stale[ \t]*=[ \t]*"?true/i;

const bounded = (message: SipMessage, line: number): string => message.value(line).slice(0, MAX_VALUE_CHARS);

/** Lengths of the names that matter here, compact forms included: most other lines are told apart by that alone. */
const LENGTHS = new Set(
  ['v', 'to', 'via', 'from', 'cseq', 'call-id', 'expires', 'contact', 'authorization', 'www-authenticate'].map(
    ({ length }) => length,
  ),
);
const PROXY_LENGTHS = new Set(['proxy-authenticate'.length, 'proxy-authorization'.length]);

const nameOf = (message: SipMessage, line: number): string => {
  const length = message.nameEnd(line) - message.nameStart(line);
  return LENGTHS.has(length) || PROXY_LENGTHS.has(length) ? message.name(line).toLowerCase() : '';
};

export const readReplyHead = (message: SipMessage): ReplyHead => {
  const { start } = message;
  const head = {
    code: start.kind === 'reply' ? start.status : 0,
    callId: '',
    cseq: -1,
    method: '',
    branch: '',
    fromTag: '',
    toTag: '',
    nonce: '',
    stale: false,
    expires: -1,
  };
  const contacts: string[] = [];
  let vias = 0;
  for (let line = 0; line < message.count; line += 1) {
    switch (nameOf(message, line)) {
      case 'via':
      case 'v':
        // the topmost is of whoever sent the request
        if (vias === 0) head.branch = BRANCH.exec(bounded(message, line))?.[1] ?? '';
        vias += 1;
        break;
      case 'from':
      case 'f':
        head.fromTag ||= TAG.exec(bounded(message, line))?.[1] ?? '';
        break;
      case 'to':
      case 't':
        head.toTag ||= TAG.exec(bounded(message, line))?.[1] ?? '';
        break;
      case 'call-id':
      case 'i':
        head.callId ||= bounded(message, line);
        break;
      case 'cseq': {
        const cseq = CSEQ.exec(bounded(message, line));
        if (cseq === null || head.method !== '') break;
        head.cseq = Number(cseq[1]);
        head.method = cseq[2]!;
        break;
      }
      case 'www-authenticate':
      case 'proxy-authenticate': {
        const challenge = ` ${bounded(message, line)}`;
        head.nonce ||= NONCE.exec(challenge)?.[1] ?? '';
        head.stale ||= STALE.test(challenge);
        break;
      }
      case 'expires':
        if (head.expires < 0 && /^\d{1,9}/.test(bounded(message, line)))
          head.expires = Number.parseInt(bounded(message, line), 10);
        break;
      case 'contact':
      case 'm':
        if (contacts.length < MAX_CONTACTS) contacts.push(bounded(message, line));
        break;
      default:
    }
  }
  return { ...head, contacts };
};

/** What of a request matters once its reply is there. */
export interface RequestMarks {
  readonly hasCredentials: boolean;
  /** The nonce that they answer. */
  readonly nonce: string;
  /** Value of the first Expires header. */
  readonly expires: string;
}

export const readRequestMarks = (message: SipMessage): RequestMarks => {
  let hasCredentials = false;
  let nonce = '';
  let expires = '';
  for (let line = 0; line < message.count; line += 1) {
    const name = nameOf(message, line);
    if (name === 'expires') expires ||= bounded(message, line);
    if (name !== 'authorization' && name !== 'proxy-authorization') continue;
    hasCredentials = true;
    nonce ||= NONCE.exec(` ${bounded(message, line)}`)?.[1] ?? '';
  }
  return { hasCredentials, nonce, expires };
};

const CONTACT_EXPIRES = /;[ \t]*expires[ \t]*=[ \t]*"?(\d{1,9})/i;
const CONTACT_URI = /sips?:[^>;,? \t]{1,512}/i;
/** RFC 3261 10.2.1.1: what a registrar grants who asks for nothing is its own choice; this is usual. */
const USUAL_EXPIRES = 3_600;

/** How long the binding lives that a REGISTER asked for; 0 when it took one away, undefined when it only asked. */
export const grantedSeconds = (contact: string, expires: string, reply: ReplyHead): number | undefined => {
  if (contact === '') return undefined;
  const asked = CONTACT_EXPIRES.exec(contact)?.[1] ?? (/^\d{1,9}/.exec(expires)?.[0] || undefined);
  if (contact.trim() === '*' || Number(asked ?? USUAL_EXPIRES) === 0) return 0;
  const uri = CONTACT_URI.exec(contact)?.[0];
  const own = reply.contacts.find((one) => uri !== undefined && one.includes(uri)) ?? reply.contacts[0];
  const granted = own === undefined ? undefined : CONTACT_EXPIRES.exec(own)?.[1];
  if (granted !== undefined) return Number(granted);
  return reply.expires >= 0 ? reply.expires : Number(asked ?? USUAL_EXPIRES);
};
