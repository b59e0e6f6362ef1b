/**
 * A parsed message → what detectors may read of it: bounded texts in canonical form, and the tricks by which a message
 * tries to be read in two ways. Tolerant like the most tolerant server; never judges.
 */
export { isSipFault, readSip, viewOf } from './view.ts';
export type { SipFault } from './view.ts';
