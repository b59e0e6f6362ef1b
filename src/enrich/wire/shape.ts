import type { SipView } from '../../model/index.ts';
import { headerName, headerText, SKIPPED_HEADER, SPELLINGS } from './headers.ts';
import { contactMarks, contactText, partyShape, partyText } from './party-shape.ts';
import { ORIGINS, SDP_BODIES, SESSION_NAMES, VERSIONS, sdpShape } from './sdp.ts';
import { tokenShape, tokenText } from './token-shape.ts';

/** Header lines that an id looks at: more than any phone sends before its Vias and routes pile up. */
const MAX_ORDER = 40;

const COOKIE = 'z9hG4bK';

const COOKIES = ['none', 'exact', 'other-case'] as const;
const RPORTS = ['none', 'before-branch', 'after-branch'] as const;
const HOSTS = ['none', 'address', 'name'] as const;
const FORWARDS = ['none', '70', 'other'] as const;
const PAIRS = ['display is user', 'To is From'] as const;

/** CSeq numbers are told apart where programs start: 0, 1, 2, below 1000, above. */
const cseqBucket = (cseq: number): number => (cseq < 0 ? 0 : cseq <= 2 ? cseq + 1 : cseq < 1_000 ? 4 : 5);
const CSEQS = ['none', '0', '1', '2', '3-999', '1000-'] as const;

/** The single features behind the order of the headers, each with its words. Append, never reorder. */
const FEATURES: readonly (readonly [string, (code: number) => string])[] = [
  ['spelling', (bits) => SPELLINGS.filter((_, bit) => (bits & (1 << bit)) !== 0).join(' ')],
  ['branch cookie', (code) => COOKIES[code] ?? '?'],
  ['branch', tokenText],
  ['rport', (code) => RPORTS[code] ?? '?'],
  ['From tag', tokenText],
  ['Call-ID', tokenText],
  ['Call-ID host', (code) => HOSTS[code] ?? '?'],
  ['CSeq', (code) => CSEQS[code] ?? '?'],
  ['From', partyText],
  ['To', partyText],
  ['Contact', partyText],
  ['Contact marks', contactText],
  ['parties', (bits) => PAIRS.filter((_, bit) => (bits & (1 << bit)) !== 0).join(', ')],
  ['Max-Forwards', (code) => FORWARDS[code] ?? '?'],
  ['body', (code) => SDP_BODIES[code] ?? '?'],
  ['s=', (code) => SESSION_NAMES[code] ?? '?'],
  ['o=', (code) => ORIGINS[code] ?? '?'],
  ['o= version', (code) => VERSIONS[code] ?? '?'],
];

/** What a message looks like, without anything that it says: small numbers only. */
export interface Shape {
  /** Headers in wire order by their number; neighbours of one kind count once. */
  readonly order: readonly number[];
  /** One for each of FEATURES. */
  readonly features: readonly number[];
}

const VIA = headerName('Via').id;
const FROM = headerName('From').id;
const TO = headerName('To').id;
const CONTACT = headerName('Contact').id;
const MAX_FORWARDS = headerName('Max-Forwards').id;

const rportOf = (via: string): number => {
  const rport = via.indexOf(';rport');
  if (rport < 0) return 0;
  return rport < via.indexOf(';branch') ? 1 : 2;
};

/** The host of a Call-ID: none, an address (digits, dots and colons, or in brackets), or a name. */
const hostKind = (callId: string, at: number): number => {
  if (at < 0) return 0;
  if (callId.charCodeAt(at + 1) === 0x5b) return 1;
  for (let index = at + 1; index < callId.length; index += 1) {
    const code = callId.charCodeAt(index);
    if ((code < 0x30 || code > 0x3a) && code !== 0x2e) return 2;
  }
  return 1;
};

/** Reads the shape: pure, bounded, one pass over the header lines. */
export const readShape = (sip: SipView): Shape => {
  const order: number[] = [];
  let spelling = 0;
  let last = 0;
  let via = '';
  let from = '';
  let to = '';
  let contact = '';
  let forwards = '';
  for (const { name, value } of sip.headers) {
    const { id, spelling: how } = headerName(name);
    if (id === SKIPPED_HEADER) continue;
    spelling |= 1 << how;
    if (id !== last && order.length < MAX_ORDER) order.push(id);
    last = id;
    if (id === VIA) via ||= value;
    else if (id === FROM) from ||= value;
    else if (id === TO) to ||= value;
    else if (id === CONTACT) contact ||= value;
    else if (id === MAX_FORWARDS) forwards ||= value;
  }
  const branch = sip.viaBranch;
  const cookie = branch.startsWith(COOKIE) ? 1 : branch.slice(0, COOKIE.length).toLowerCase() === 'z9hg4bk' ? 2 : 0;
  const { callId } = sip;
  const at = callId.indexOf('@');
  const { user, host, display } = sip.from;
  const pairs = (display !== '' && display === user ? 1 : 0) | (user === sip.to.user && host === sip.to.host ? 2 : 0);
  const sdp = sdpShape(sip.bodyStart);
  return {
    order,
    features: [
      spelling,
      cookie,
      tokenShape(branch, cookie === 0 ? 0 : COOKIE.length, branch.length),
      rportOf(via),
      tokenShape(sip.from.tag, 0, sip.from.tag.length),
      tokenShape(callId, 0, at < 0 ? callId.length : at),
      hostKind(callId, at),
      cseqBucket(sip.cseq),
      partyShape(from),
      partyShape(to),
      partyShape(contact),
      contactMarks(contact, user),
      pairs,
      forwards === '' ? 0 : forwards === '70' ? 1 : 2,
      sdp[0],
      sdp[1],
      sdp[2],
      sdp[3],
    ],
  };
};

/** FNV-1a, 32 bits (offset basis 2166136261, prime 16777619), a number of up to 16 bits at a time. */
const mix = (state: number, code: number): number => Math.imul(state ^ code, 16_777_619);

const hash = (order: readonly number[], features: readonly number[]): number => {
  let state = 2_166_136_261 | 0;
  for (let at = 0; at < order.length; at += 1) state = mix(state, order[at]!);
  state = mix(state, 0);
  for (let at = 0; at < features.length; at += 1) state = mix(state, features[at]!);
  return state;
};

/** Two hex digits of each byte: a number's own toString costs as much as the rest of the id. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const hex = (state: number): string =>
  `${HEX[state >>> 24]!}${HEX[(state >>> 16) & 0xff]!}${HEX[(state >>> 8) & 0xff]!}${HEX[state & 0xff]!}`;

/**
 * The id of a shape, `w1-` and eight hex digits: FNV-1a over the order of the headers, a zero, and the features. The same
 * everywhere, so that operators can share it; no key, no secret. It does not change with the User-Agent, with credentials,
 * or with what a message says; it does between methods whose headers differ.
 */
export const wireId = (shape: Shape): string => `w1-${hex(hash(shape.order, shape.features))}`;

export const isWireId = (text: string): boolean => /^w1-[0-9a-f]{8}$/.test(text);

/** The id of a message. */
export const wireIdOf = (sip: SipView): string => wireId(readShape(sip));

/** A shape in words, one feature a line. */
export const describeShape = ({ order, features }: Shape): readonly string[] => [
  `headers: ${order.map(headerText).join(', ')}`,
  ...FEATURES.map(([name, words], index) => `${name}: ${words(features[index] ?? 0) || '-'}`),
];
