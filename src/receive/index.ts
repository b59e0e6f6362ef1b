/**
 * Doors through which SIP servers speak to us. In: frames from the wire, each checked for version, secret and shape.
 * Out: the same `Request` and `Outcome` whatever the door, and the answer back to the server, sent before any effect.
 * Never judges, never touches disk; every frame that is not taken has a drop reason.
 */
export { createDatagramHook, type HookNode } from './datagram-hook.ts';
export { createEvapiHook, type EvapiNode } from './evapi/evapi-hook.ts';
export { type Hook, type HookHandlers } from './hook-core.ts';
export { openHook, type HookOptions, type TransportNode } from './open-hook.ts';
