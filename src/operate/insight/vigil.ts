import type { Clock, StatusReport } from '../../model/index.ts';

/** A server needs this long to answer the first heartbeat; then silence is worth a word. */
const FIRST_LOOK_MS = 3_000;
const LOOK_MS = 1_000;
/** The same sentence is not repeated more often than this. */
const REPEAT_MS = 600_000;

export interface VigilLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Says in the log whether anything is protected: when that changes, and every ten minutes while it is not.
 * @returns the function that ends it
 */
export const keepVigil = (status: () => StatusReport, log: VigilLog, clock: Clock): (() => void) => {
  let said = '';
  let saidAt = 0;
  const look = (): void => {
    const { summary, nodes, startedAt } = status();
    const now = clock.now();
    const well = nodes.length > 0 && nodes.every(({ state }) => state === 'connected');
    if (!well && now - startedAt < FIRST_LOOK_MS) return;
    if (summary === said && (well || now - saidAt < REPEAT_MS)) return;
    said = summary;
    saidAt = now;
    const fields = { event: 'protection', nodes: Object.fromEntries(nodes.map(({ name, state }) => [name, state])) };
    if (well) log.info(fields, summary);
    else log.warn(fields, summary);
  };
  const timer = setInterval(look, LOOK_MS);
  return () => clearInterval(timer);
};
