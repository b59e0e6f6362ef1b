/**
 * A parsed message → the rules of the standard that it breaks, each with a stable name, a severity and an offset; and a
 * policy that makes a verdict of them. Stricter than any server where servers let dangerous messages through, tolerant
 * where the standard is. Never judges who sent it.
 */
export { VALIDATION_RULES } from './catalogue.ts';
export type { ValidationRule } from './catalogue.ts';
export { createValidity } from './policy.ts';
export type { ValidationPolicy } from './policy.ts';
export { findViolations, validateBytes } from './validate.ts';
export type { Validated } from './validate.ts';
export { explainSanity, SANITY_BITS, SANITY_URI_BITS } from './sanity.ts';
export type { SanityBit, SanityExplained } from './sanity.ts';
