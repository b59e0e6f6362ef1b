import type { PartyView } from '../../model/index.ts';

/** The shortest tag that is looked into. */
export const MIN_SIPVICIOUS_CHARS = 16;

const LOWER_HEX = /^(?:[0-9a-f]{2}){8,512}$/;

/** Behind the payload: byte 01, then 32 random bits in decimal. Six digits and more, so that chance cannot do it. */
// oxlint-disable-next-line no-control-regex -- byte 01 is the mark
const TAG_TEXT = /^([\x20-\x7e]*)\u0001\d{6,10}$/;

export const SIPVICIOUS_TAGS = ['none', 'password', 'extension', 'address', 'other'] as const;
export type SipviciousTag = (typeof SIPVICIOUS_TAGS)[number];

/**
 * sipvicious writes its memory into the From tag, since it keeps none itself: lower-case hex of a payload, byte 01 and
 * decimal digits. The payload of svcrack is `user:password`: it is recognised here, and never shown or kept.
 */
export const sipviciousTag = (tag: string, to: PartyView): SipviciousTag => {
  // every payload is followed by 01 and a digit, whose hex begins with 3: most tags end here
  if (tag.length < MIN_SIPVICIOUS_CHARS || !tag.includes('013') || !LOWER_HEX.test(tag)) return 'none';
  const payload = TAG_TEXT.exec(Buffer.from(tag, 'hex').toString('latin1'))?.[1];
  if (payload === undefined) return 'none';
  if (payload.includes(':')) return 'password';
  if (payload !== '' && payload === to.user) return 'extension';
  return /^[0-9a-f]{12}$/.test(payload) ? 'address' : 'other';
};
