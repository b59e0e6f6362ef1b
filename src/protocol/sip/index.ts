/**
 * SIP bytes ↔ values. In: one message as it stood on the wire. Out: an index of its lines, values when they are asked
 * for, a bounded `SipView` for detectors, or the reason why there is none. Never throws on any bytes, never does I/O.
 */
export { classifyKeepAlive, isParseFault, parseSip } from './message/index.ts';
export { isSipFault, readSip, viewOf } from './view/index.ts';
