/**
 * SIP bytes ↔ values. In: one message as it stood on the wire. Out: a bounded `SipView`, or the reason why there is
 * none. Never judges whether a message is valid or hostile, never throws on any bytes, never does I/O.
 */
export { isKeepAlive } from './keep-alive.ts';
export { isSipFault, readSip, type SipFault } from './view.ts';
