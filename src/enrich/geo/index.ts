/**
 * Country and network of an address, out of .mmdb databases that somebody else read from disk, and what the operator
 * thinks of them. Looks things up, keeps what it found; never does I/O, never judges.
 */
export { createBackgrounds } from './background.ts';
export type { Backgrounds } from './background.ts';
export { openGeoDatabase } from './database.ts';
export type { GeoDatabase } from './database.ts';
export { createGeoRules, placeIn } from './places.ts';
export type { GeoRules } from './places.ts';
