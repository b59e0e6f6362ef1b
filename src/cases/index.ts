/**
 * Policy unit tests: what a policy makes of a message or of a stretch of traffic, against what somebody expects of it. In:
 * YAML files of cases, or packs of tools with the tests of their entries. Out: a result for each case, with what was found
 * instead. Judges with the code of the live flow and the clock of the messages; reads only the files that are named.
 */
export { runFile } from './run-file.ts';
export type { CaseResult, RunOptions } from './run-file.ts';
export { describeMessage } from './describe.ts';
export { listRules } from './list-rules.ts';
export type { RuleListing } from './list-rules.ts';
