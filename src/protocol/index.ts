/**
 * Bytes ↔ values, without I/O: SIP messages, hook frames, netstrings, JSON-RPC lines.
 * What comes in is attacker's: every length is bounded and nothing throws untyped.
 */
export * from './json-rpc.ts';
export * from './sip/index.ts';
export * from './hook-frame.ts';
export * from './netstring.ts';
