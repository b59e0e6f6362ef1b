/**
 * Connects what companion learns from elsewhere (databases, names, files, feeds) with the memory that judges and the
 * effects that carry changes on. In: the configuration and those parts. Out: something to ask, to swap and to stop.
 * Nothing here is awaited by a verdict.
 */
export { openElsewhere } from './elsewhere.ts';
export type { Elsewhere } from './elsewhere.ts';
