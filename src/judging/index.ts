/**
 * The flow from an event to its verdict, built once for everybody who judges: the service, a replay, a benchmark. In: a
 * configuration, and which addresses are the server's own. Out: a function from requests and outcomes to verdicts, and
 * the memory behind it. Does no I/O and knows no clock but the events' own; what follows from a verdict is the caller's.
 */
export { createJudging } from './judging.ts';
export type { Judging } from './judging.ts';
export { patchStateOf } from './patches.ts';
export { companionSchema } from './schema.ts';
export type { CompanionConfig } from './schema.ts';
