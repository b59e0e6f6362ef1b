/**
 * The words that all rooms share: the record that travels (Request or Outcome → Finding → Verdict → Entry),
 * addresses, durations, errors. Types and pure functions only; imports no other room; never does I/O.
 */
export * from './address.ts';
export * from './duration.ts';
export type * from './contracts/bulk.ts';
export type * from './contracts/enforcer.ts';
export * from './entry.ts';
export type * from './contracts/exploit.ts';
export * from './errors.ts';
export type * from './facts.ts';
export type * from './contracts/feeds.ts';
export type * from './contracts/figures.ts';
export type * from './contracts/geo.ts';
export * from './finding.ts';
export type * from './contracts/hook.ts';
export * from './host-name.ts';
export type * from './contracts/insight.ts';
export type * from './contracts/operations.ts';
export type * from './outcome.ts';
export type * from './contracts/records.ts';
export type * from './request.ts';
export * from './source.ts';
export * from './text.ts';
export type * from './time.ts';
export type * from './contracts/trace.ts';
export type * from './contracts/validity.ts';
export type * from './verdict.ts';
