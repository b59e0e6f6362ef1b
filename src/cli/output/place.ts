import type { Place } from '../../model/index.ts';

/** `DE, AS3320 Deutsche Telekom AG`; empty where nothing is known. The name is the database's: escape it where shown. */
export const placeText = (place: Place | undefined): string => {
  if (place === undefined) return '';
  const network = place.asn === 0 ? '' : `AS${place.asn} ${place.network}`.trim();
  return [place.country, network].filter((part) => part !== '').join(', ');
};
