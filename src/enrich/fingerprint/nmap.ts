import { headerValue, type MarkReader } from './wire-mark.ts';

/** The methods as nselib/sip.lua writes them, blanks misplaced; Metasploit's viproy copies the line. */
const ALLOW_START = 'PRACK, INVITE ,ACK, BYE, CANCEL, UPDATE, SUBSCRIBE';
const CALL_ID = /^[0-9A-Za-z]{60}$/;
const TAG = /^[0-9A-Za-z]{20}$/;

/** Marks of nmap: the version probe SIPOptions (`sip:nm@nm`, masscan's too), and the NSE library. */
export const readNmap: MarkReader = (sip) => {
  if ((sip.from.user === 'nm' && sip.from.host === 'nm') || (sip.to.user === 'nm2' && sip.to.host === 'nm2')) {
    return { tool: 'nmap', detail: 'SIPOptions version probe (nm@nm)', risk: 'low' };
  }
  if (!headerValue(sip, 'allow').startsWith(ALLOW_START)) return null;
  const random = CALL_ID.test(sip.callId) && TAG.test(sip.from.tag);
  return { tool: 'nmap', detail: 'Allow header of the NSE library', risk: random ? 'low' : 'medium' };
};
