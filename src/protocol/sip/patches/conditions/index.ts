/**
 * The words in which patches are written: structural conditions on a parsed message, as data, and the function that each
 * compiles to. Linear in the message, nothing allocated for a message that fits none, never a judgement of whether a
 * match is bad: that is what the catalogue says.
 */
export { hasBodyToRead } from './body.ts';
export { compile, looksAtBody } from './compile.ts';
export type { Finder } from './compile.ts';
export type { Condition } from './condition.ts';
export { KNOWN_TO_KAMAILIO } from './kamailio-names.ts';
