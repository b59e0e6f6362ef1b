/**
 * Databases of countries and networks: read from disk, looked after while others replace them, fetched on request.
 * A file that is damaged or gone is told, and what was read before goes on.
 */
export { createGeoDesk } from './desk.ts';
export type { GeoDesk, GeoDeskParts } from './desk.ts';
