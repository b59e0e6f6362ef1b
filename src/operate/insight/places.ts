import { setImmediate } from 'node:timers/promises';
import { CompanionError, canonicalIp } from '../../model/index.ts';
import type { Barred, GeoOperations, GeoReport, Place } from '../../model/index.ts';

/** Rows looked up between two looks at the event loop: some milliseconds' work where none is known yet. */
const AT_ONCE = 500;

/** What is known of an address without looking at what it sends. */
export type BackgroundOf = (ip: string) => {
  readonly place: Place | undefined;
  readonly barred: Barred | undefined;
};

/** Where the first address of a subject is; nothing is left out when no database says. */
export const placeOfSubject = (subject: string, background: BackgroundOf): { readonly place?: Place } => {
  const ip = subject.split('/', 1)[0] ?? '';
  const { place } = background(ip);
  return place === undefined || (place.country === '' && place.asn === 0) ? {} : { place };
};

/** The rows with their places, in pieces: a hundred thousand bans must not hold up a verdict. */
export const withPlaces = async <R extends { readonly subject: string }>(
  rows: readonly R[],
  background: BackgroundOf,
): Promise<R[]> => {
  const placed: R[] = [];
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % AT_ONCE === 0) await setImmediate();
    placed.push({ ...row, ...placeOfSubject(row.subject, background) });
  }
  return placed;
};

/** What operators ask about countries and networks. */
export const createGeoOperations = (
  desk: { report(): GeoReport; update(): GeoReport },
  background: BackgroundOf,
): GeoOperations => ({
  geoReport: async () => desk.report(),
  geoUpdate: async () => desk.update(),
  async geoShow(text) {
    const ip = canonicalIp(text);
    if (ip === undefined)
      throw new CompanionError(
        'ADDRESS_INVALID',
        `'${text.slice(0, 60)}' is not a single IP address. Write for example 203.0.113.7 or 2001:db8::5.`,
      );
    const { place = { country: '', asn: 0, network: '' }, barred = null } = background(ip);
    return { ip, place, barred };
  },
});
