import { headerIdOf, STRIDE } from '../message/index.ts';
import type { SipMessage } from '../message/index.ts';

/** First lines of the headers that have a field of their own; -1 for those that are not there. */
export interface Located {
  readonly via: number;
  readonly from: number;
  readonly to: number;
  readonly callId: number;
  readonly cseq: number;
  readonly contact: number;
  readonly userAgent: number;
  /** First Authorization or Proxy-Authorization. */
  readonly credentials: number;
  /** A line is marked, or a header of which there may be one stands there twice. */
  readonly odd: boolean;
}

const VIA = headerIdOf('via');
const FROM = headerIdOf('from');
const TO = headerIdOf('to');
const CALL_ID = headerIdOf('call-id');
const CSEQ = headerIdOf('cseq');
const CONTACT = headerIdOf('contact');
const MAX_FORWARDS = headerIdOf('max-forwards');
const CONTENT_LENGTH = headerIdOf('content-length');
const USER_AGENT = headerIdOf('user-agent');
const AUTHORIZATION = headerIdOf('authorization');
const PROXY_AUTHORIZATION = headerIdOf('proxy-authorization');

/** Finds them all in one walk over the index. */
export const locate = ({ lines }: SipMessage): Located => {
  let via = -1;
  let from = -1;
  let to = -1;
  let callId = -1;
  let cseq = -1;
  let contact = -1;
  let userAgent = -1;
  let maxForwards = -1;
  let contentLength = -1;
  let credentials = -1;
  let flags = 0;
  let twice = false;
  for (let at = 0, line = 0; at < lines.length; at += STRIDE, line += 1) {
    flags |= lines[at + STRIDE - 1]!;
    switch (lines[at]) {
      case VIA:
        if (via < 0) via = line;
        break;
      case FROM:
        if (from < 0) from = line;
        else twice = true;
        break;
      case TO:
        if (to < 0) to = line;
        else twice = true;
        break;
      case CALL_ID:
        if (callId < 0) callId = line;
        else twice = true;
        break;
      case CSEQ:
        if (cseq < 0) cseq = line;
        else twice = true;
        break;
      case CONTACT:
        if (contact < 0) contact = line;
        break;
      case MAX_FORWARDS:
        if (maxForwards < 0) maxForwards = line;
        else twice = true;
        break;
      case CONTENT_LENGTH:
        if (contentLength < 0) contentLength = line;
        else twice = true;
        break;
      case USER_AGENT:
        if (userAgent < 0) userAgent = line;
        else twice = true;
        break;
      case AUTHORIZATION:
      case PROXY_AUTHORIZATION:
        if (credentials < 0) credentials = line;
        break;
      default:
    }
  }
  return { via, from, to, callId, cseq, contact, userAgent, credentials, odd: flags !== 0 || twice };
};
