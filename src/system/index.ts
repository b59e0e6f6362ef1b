/**
 * The operating system as the other rooms see it: time, directories, the installation secret, signals, a bounded queue.
 * Paths, environment and signals come in; checked paths, values and calls go out.
 * Knows nothing of SIP or of what companion decides, and does nothing at import time.
 */
export * from './bounded-queue.ts';
export * from './clock.ts';
export * from './deadline.ts';
export * from './kamailio-secret.ts';
export * from './machine-addresses.ts';
export * from './rounds.ts';
export * from './secret.ts';
export * from './signals.ts';
export * from './state-directory.ts';
