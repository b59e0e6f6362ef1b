/**
 * A place to try things: a real Kamailio with the example configuration and a companion beside it, in a temporary
 * directory, on any address of this machine. A line of options comes in, running processes and one line of JSON go out.
 * Must never touch the machine's own Kamailio or its state, and leaves nothing behind.
 */
export { startLab } from './lab.ts';
export type { Lab, ReadyLine } from './lab.ts';
export type { LabOptions } from './prepare/prepare.ts';
export { LabError } from './problem.ts';
export { createPhone } from './phone/index.ts';
export type { Phone, PhoneOptions, Registration } from './phone/index.ts';
