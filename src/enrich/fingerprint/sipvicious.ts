import type { SipView } from '../../model/index.ts';
import { headerValue, sessionName, type MarkReader, type WireMark } from './wire-mark.ts';

/** The tag of svcrack's first leg, a constant in its source. */
const SVCRACK_TAG = '3206210844';

const DECIMAL_BRANCH = /^z9hG4bK-\d{1,10}$/;
const DECIMAL = /^\d{1,32}$/;
const LOWER_HEX = /^(?:[0-9a-f]{2}){8,}$/;

/** Behind the payload: byte 01, then 32 random bits in decimal. Six digits and more, so that chance cannot do it. */
// oxlint-disable-next-line no-control-regex -- byte 01 is the mark
const TAG_TEXT = /^([\x20-\x7e]*)\u0001\d{6,10}$/;

const mark = (detail: string, risk: WireMark['risk'] = 'low'): WireMark => ({ tool: 'sipvicious', detail, risk });

/**
 * sipvicious writes its memory into the From tag, since it keeps none itself: lower-case hex of a payload, byte 01 and
 * decimal digits. The payload of svcrack is `user:password`: it is recognised here, and never shown or kept.
 */
const readTag = (sip: SipView): WireMark | null => {
  const tag = sip.from.tag;
  if (!LOWER_HEX.test(tag)) return null;
  const payload = TAG_TEXT.exec(Buffer.from(tag, 'hex').toString('latin1'))?.[1];
  if (payload === undefined) return null;
  if (payload.includes(':')) return mark('From tag carries a guessed password (svcrack)');
  if (payload !== '' && payload === sip.to.user) return mark('From tag carries the extension that is tried (svwar)');
  if (/^[0-9a-f]{12}$/.test(payload)) return mark('From tag carries the scanned address and port (svmap)');
  return mark('From tag is built as sipvicious builds it');
};

const isSvmapParty = (party: SipView['from']): boolean =>
  (party.user === '100' && party.host === '1.1.1.1') || party.display.toLowerCase() === 'sipvicious';

/** Marks of sipvicious 0.3.3 to 0.3.8 (`svhelper.py`), from its source and from captures; survive a changed User-Agent. */
export const readSipvicious: MarkReader = (sip) => {
  const byTag = readTag(sip);
  if (byTag !== null) return byTag;
  const decimalBranch = DECIMAL_BRANCH.test(sip.viaBranch);
  const decimalCallId = DECIMAL.test(sip.callId);
  const contactOnes = sip.contact.includes('sip:123@1.1.1.1');
  if (sip.from.tag === SVCRACK_TAG && (decimalBranch || decimalCallId || contactOnes)) {
    return mark('constant From tag of svcrack');
  }
  if (isSvmapParty(sip.from) || isSvmapParty(sip.to)) return mark('From or To of svmap (sip:100@1.1.1.1)');
  if (contactOnes) return mark('Contact of svcrack (sip:123@1.1.1.1)');
  if (sessionName(sip) === 'svwar') return mark('SDP session name svwar');
  if (!decimalBranch || !decimalCallId) return null;
  const accept = headerValue(sip, 'accept') === 'application/sdp' && headerValue(sip, 'allow') === '';
  return mark('decimal Via branch and Call-ID', accept ? 'low' : 'medium');
};
