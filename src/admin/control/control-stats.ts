/** Counters of the control socket, since start. */
export interface ControlStats {
  readonly open: number;
  readonly accepted: number;
  /** Connections over the cap. */
  readonly refused: number;
  readonly requests: number;
  readonly failures: number;
  /** Connections closed for a line that was too long. */
  readonly oversized: number;
  /** Connections closed because nothing moved on them. */
  readonly idleClosed: number;
  /** Events that slow watchers missed. */
  readonly watchDropped: number;
}

/** The same, for the code that counts. */
export type ControlCounters = { -readonly [K in keyof ControlStats]: number };

export const newCounters = (): ControlCounters => ({
  open: 0,
  accepted: 0,
  refused: 0,
  requests: 0,
  failures: 0,
  oversized: 0,
  idleClosed: 0,
  watchDropped: 0,
});
