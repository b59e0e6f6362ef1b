import { headerIdOf } from '../../message/index.ts';
import type { SipMessage } from '../../message/index.ts';
import { addressLonger, formatAbove, malformedFmtp, malformedMultipart, mediaLonger } from './body.ts';
import { BODY_TESTS } from './condition.ts';
import type { Condition } from './condition.ts';
import { claimWithQuotes, malformedDigest } from './credentials.ts';
import {
  blankBeforeColon,
  cseqMethodLonger,
  emptyTag,
  grammarOf,
  nameLonger,
  numberAbove,
  openQuoteIn,
  repeated,
  replyTo,
  shellText,
  transactionKeyLonger,
  valueLonger,
  valuesAbove,
} from './headers.ts';

/** @returns the byte at which a message fits the condition, or -1 */
export type Finder = (message: SipMessage) => number;

/** True when the condition looks at the body. */
export const looksAtBody = (condition: Condition): boolean =>
  condition.test === 'all' || condition.test === 'any'
    ? condition.of.some(looksAtBody)
    : BODY_TESTS.has(condition.test);

/** Makes a function of a condition; each looks at every byte a fixed number of times and never throws. */
export const compile = (condition: Condition): Finder => {
  switch (condition.test) {
    case 'all': {
      const finders = condition.of.map(compile);
      return (message) => {
        let found = -1;
        for (const find of finders) {
          found = find(message);
          if (found < 0) return -1;
        }
        return found;
      };
    }
    case 'any': {
      const finders = condition.of.map(compile);
      return (message) => {
        for (const find of finders) {
          const found = find(message);
          if (found >= 0) return found;
        }
        return -1;
      };
    }
    case 'method': {
      const { method } = condition;
      return ({ start }) => (start.kind === 'request' && start.method === method ? start.from : -1);
    }
    case 'reply':
      return (message) => replyTo(message, condition.codes, condition.method);
    case 'repeated': {
      const id = headerIdOf(condition.header);
      return (message) => repeated(message, id);
    }
    case 'empty-tag': {
      const id = headerIdOf(condition.header);
      return (message) => emptyTag(message, id);
    }
    case 'breaks-grammar':
      return grammarOf(condition.header);
    case 'open-quote': {
      const ids = condition.headers.map(headerIdOf);
      return (message) => openQuoteIn(message, ids);
    }
    case 'blank-before-colon':
      return blankBeforeColon;
    case 'name-longer':
      return (message) => nameLonger(message, condition.bytes);
    case 'value-longer': {
      const id = headerIdOf(condition.header);
      return (message) => valueLonger(message, id, condition.bytes);
    }
    case 'number-above': {
      const id = headerIdOf(condition.header);
      return (message) => numberAbove(message, id, condition.value);
    }
    case 'values-above': {
      const id = headerIdOf(condition.header);
      return (message) => valuesAbove(message, id, condition.count);
    }
    case 'transaction-key-longer':
      return (message) => transactionKeyLonger(message, condition.bytes);
    case 'cseq-method-longer':
      return (message) => cseqMethodLonger(message, condition.bytes);
    case 'digest-malformed':
      return (message) => malformedDigest(message, condition.nameBytes);
    case 'claim-with-quotes':
      return (message) => claimWithQuotes(message, condition.claim);
    case 'shell-text':
      return shellText;
    case 'multipart-malformed':
      return malformedMultipart;
    case 'sdp-fmtp-malformed':
      return malformedFmtp;
    case 'sdp-format-above':
      return formatAbove(condition.payloadType);
    case 'sdp-media-longer':
      return mediaLonger(condition.bytes);
    case 'sdp-address-longer':
      return addressLonger(condition.bytes);
  }
};
