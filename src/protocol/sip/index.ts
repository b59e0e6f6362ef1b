/**
 * SIP bytes ↔ values. In: one message as it stood on the wire. Out: an index of its lines, values when they are asked
 * for, the rules that it breaks, a bounded `SipView` for detectors, or the reason why there is none. Never throws on any
 * bytes, never does I/O.
 */
export { classifyKeepAlive, isParseFault, parseSip, redactMessage } from './message/index.ts';
export { inspectRequest } from './inspect.ts';
export type { Inspection } from './inspect.ts';
export type { SipMessage } from './message/index.ts';
export {
  BEHIND_SERVER,
  findPatches,
  kamailioPatches,
  PATCHES,
  patchSymbol,
  stateOfPatch,
  versionsText,
} from './patches/index.ts';
export type { Patch, PatchState } from './patches/index.ts';
export {
  createValidity,
  explainSanity,
  SANITY_BITS,
  SANITY_URI_BITS,
  validateBytes,
  VALIDATION_RULES,
} from './validate/index.ts';
export type { SanityBit, Validated, ValidationPolicy, ValidationRule } from './validate/index.ts';
export { isSipFault, readSip, viewOf } from './view/index.ts';
