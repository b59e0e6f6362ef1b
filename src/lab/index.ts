/**
 * A place to try things: a real Kamailio with the example configuration and a companion beside it, in a temporary
 * directory, on any address of this machine. A line of options comes in, running processes and one line of JSON go out.
 * Must never touch the machine's own Kamailio or its state, and leaves nothing behind.
 */
export { startLab } from './lab.ts';
export type { Lab, LabOptions, ReadyLine } from './lab.ts';
export { LabError } from './problem.ts';
