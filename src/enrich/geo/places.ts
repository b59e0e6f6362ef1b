import type { Barred, Place } from '../../model/index.ts';
import type { GeoDatabase } from './database.ts';

const NOWHERE: Place = { country: '', asn: 0, network: '' };

/** The first database that knows a thing decides it. */
export const placeIn = (databases: readonly GeoDatabase[], ip: string): Place => {
  if (databases.length === 0) return NOWHERE;
  const found: { -readonly [K in keyof Place]?: Place[K] } = {};
  for (const database of databases) {
    const { country, asn, network } = database.of(ip);
    if (country !== undefined) found.country ??= country;
    if (asn !== undefined && found.asn === undefined) {
      found.asn = asn;
      if (network !== undefined) found.network = network;
    }
  }
  return { ...NOWHERE, ...found };
};

export interface GeoRules {
  /** ISO 3166, capital letters. */
  readonly blockedCountries: readonly string[];
  /** Where not empty: every other country is blocked. */
  readonly allowedCountries: readonly string[];
  readonly blockedAsns: readonly number[];
  /** With allowed countries: whoever is nowhere in the databases is blocked as well. */
  readonly blockUnknown: boolean;
}

/** What the operator thinks of a place. Of an address that no database knows he thinks nothing, unless he says so. */
export const createGeoRules = (rules: GeoRules): ((place: Place) => Barred | undefined) => {
  const blocked = new Set(rules.blockedCountries);
  const allowed = new Set(rules.allowedCountries);
  const asns = new Set(rules.blockedAsns);
  return ({ country, asn }) => {
    if (asns.has(asn)) return { state: 'denied', reason: `network AS${asn} is blocked` };
    if (country === '')
      return allowed.size > 0 && rules.blockUnknown
        ? { state: 'denied', reason: 'its country is unknown, and only some are allowed', country: 'unknown' }
        : undefined;
    if (blocked.has(country)) return { state: 'denied', reason: `country ${country} is blocked`, country };
    if (allowed.size > 0 && !allowed.has(country))
      return { state: 'denied', reason: `country ${country} is not among the allowed`, country };
    return undefined;
  };
};
