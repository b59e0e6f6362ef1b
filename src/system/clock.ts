import type { Clock } from '../model/index.ts';

/** Wall-clock time. The only place where a running companion reads it; tests and replay hand in their own. */
export const systemClock: Clock = { now: () => Date.now() };
