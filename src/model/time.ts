/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/** Where time comes from. Everything that judges takes one, so that tests and replay never sleep. */
export interface Clock {
  now(): EpochMs;
}
