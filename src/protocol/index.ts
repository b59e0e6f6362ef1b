/**
 * Bytes ↔ values, without I/O: SIP messages, hook frames, captures, HEP, netstrings, JSON-RPC lines, lists.
 * What comes in is attacker's: every length is bounded and nothing throws untyped.
 */
export * from './capture/index.ts';
export * from './exchange.ts';
export * from './hep.ts';
export * from './json-rpc.ts';
export * from './sip/index.ts';
export * from './hook-frame.ts';
export * from './netstring.ts';
export * from './rows/index.ts';
