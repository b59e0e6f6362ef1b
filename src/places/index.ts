/**
 * Where things are: the state directory and the control socket. The environment comes in, paths go out. Service and
 * command line must agree on them. Loads nothing else: a shell waits for `companion complete` at each press of the key,
 * and every file it loads costs that user half a millisecond.
 */
export * from './control-socket.ts';
export * from './state-directory.ts';
