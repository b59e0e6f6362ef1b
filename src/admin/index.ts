/**
 * The doors for operators: a Unix socket that speaks JSON-RPC (used by the command line) and HTTP on loopback (used
 * by monitoring). Operator's questions come in, calls of `Operations` go out; what they do is decided elsewhere.
 * It must never let a slow or hostile peer grow memory or hold up a verdict: every connection, line, queue and answer
 * is bounded, and what is dropped is counted.
 */
export { openControlSocket, startControlSocket } from './control-socket.ts';
export type { ControlSocket, ControlSocketOptions } from './control-socket.ts';
export { startHttp } from './http.ts';
export type { HttpDoor, HttpOptions } from './http.ts';
export type { ControlStats } from './control-stats.ts';
export type { MethodName, Page } from './routes.ts';
