import { sessionName, type MarkReader } from './wire-mark.ts';

const COOKIE = 'z9hG4bK-';
const CALL_ID = /^[0-9a-f]{32}$/;

/**
 * Marks of sipcli, the dialer behind most toll fraud: its SDP, or a branch that repeats the Call-ID. The second may be
 * shared by honest software of the same vendor, hence medium. `portsip.com` is an SDK's default: many use it.
 */
export const readSipcli: MarkReader = (sip) => {
  const session = sessionName(sip).toLowerCase();
  if (session === 'sipcli' || sip.bodyStart.includes('o=sipcli-Session')) {
    return { tool: 'sipcli', detail: 'SDP of sipcli', risk: 'low' };
  }
  if (
    CALL_ID.test(sip.callId) &&
    sip.viaBranch.startsWith(COOKIE) &&
    sip.viaBranch.slice(COOKIE.length) === sip.callId
  ) {
    return { tool: 'sipcli', detail: 'Via branch repeats the Call-ID', risk: 'medium' };
  }
  if (session === 'portsip.com')
    return { tool: 'portsip', detail: 'SDP session name of the PortSIP SDK', risk: 'high' };
  return null;
};
