import { sessionName, type MarkReader } from './wire-mark.ts';

/** 71 characters and no RFC 3261 magic cookie: no phone does that. */
const BRANCH = /^[0-9a-z]{71}$/;
const CALL_ID = /^[0-9a-f]{32}$/;

/** Marks of sippts 4.1 (`lib/functions.py`): its branch with its Call-ID, or its SDP session name. */
export const readSippts: MarkReader = (sip) => {
  if (BRANCH.test(sip.viaBranch) && !sip.viaBranch.startsWith('z9hg4bk') && CALL_ID.test(sip.callId)) {
    return { tool: 'sippts', detail: 'Via branch of 71 characters without magic cookie', risk: 'low' };
  }
  if (sessionName(sip).toLowerCase() === 'sippts') {
    return { tool: 'sippts', detail: 'SDP session name SIPPTS', risk: 'low' };
  }
  return null;
};
