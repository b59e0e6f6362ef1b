/**
 * Bytes ↔ values, without I/O. What comes in is attacker's: every length is bounded and nothing throws untyped.
 */
export * from './json-rpc.ts';
export * from './sip/index.ts';
export * from './hook-frame.ts';
