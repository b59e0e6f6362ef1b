/**
 * The doors for operators: a Unix socket that speaks JSON-RPC (used by the command line) and HTTP (for monitoring and
 * programs), both out of the one table in `routes`. Operator's questions come in, calls of `Operations` go out; what
 * they do is decided elsewhere. It must never let a slow or hostile peer grow memory or hold up a verdict: every
 * connection, line, queue and answer is bounded, and what is dropped is counted.
 */
export { openTokenFile } from './access/token-file.ts';
export type { TokenStore } from './access/token-file.ts';
export { startControlSocket } from './control/control-socket.ts';
export type { ControlSocket, ControlSocketOptions } from './control/control-socket.ts';
export type { ControlStats } from './control/control-stats.ts';
export { openDoors } from './doors.ts';
export type { Doors } from './doors.ts';
export { startHttp } from './http/server.ts';
export type { HttpDoor, HttpOptions } from './http/server.ts';
export { MAX_IMPORT_ROWS } from './routes/index.ts';
export type { MethodName, Page, TokenRow } from './routes/index.ts';
