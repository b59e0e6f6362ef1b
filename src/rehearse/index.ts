/**
 * What would have happened: recorded or made-up traffic, judged by the same code as live traffic, with the server's part
 * of the protection beside it. In: captures and policies. Out: a row for each source, what was left out and why. Its only
 * clock is the traffic's; it starts no service, opens no socket, and reads nothing but the captures it is given.
 */
export { differencesOf } from './compare.ts';
export type { Difference } from './compare.ts';
export { rehearseMessages } from './messages.ts';
export { rehearse } from './rehearse.ts';
export type { RehearseOptions, Rehearsed } from './rehearse.ts';
export { createRehearsal } from './rehearsal.ts';
export type { Handling, Rehearsal } from './rehearsal.ts';
export type { ReplayTotals, SourceRow } from './replay.ts';
export type { Received } from './arrival.ts';
