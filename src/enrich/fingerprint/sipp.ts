import { headerValue, type MarkReader } from './wire-mark.ts';

const TAG = /^\d{1,10}SIPpTag\d/;

/** Marks of SIPp's default scenarios. Operators measure their own servers with it: risk high, for the record only. */
export const readSipp: MarkReader = (sip) => {
  if (TAG.test(sip.from.tag)) return { tool: 'sipp', detail: 'From tag of SIPp', risk: 'high' };
  if (headerValue(sip, 'subject').startsWith('Performance Test')) {
    return { tool: 'sipp', detail: 'Subject of SIPp', risk: 'high' };
  }
  return null;
};
