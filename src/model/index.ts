/**
 * The words that all rooms share: the record that travels (Request or Outcome → Finding → Verdict → Entry),
 * addresses, durations, errors. Types and pure functions only; imports no other room; never does I/O.
 */
export * from './address.ts';
export * from './duration.ts';
export * from './contracts/bulk.ts';
export * from './contracts/enforcer.ts';
export * from './entry.ts';
export * from './errors.ts';
export * from './facts.ts';
export * from './contracts/figures.ts';
export * from './contracts/geo.ts';
export * from './finding.ts';
export * from './contracts/hook.ts';
export * from './contracts/operations.ts';
export * from './outcome.ts';
export * from './contracts/records.ts';
export * from './request.ts';
export * from './source.ts';
export * from './text.ts';
export * from './time.ts';
export * from './contracts/trace.ts';
export * from './verdict.ts';
