import type { Barred, Place } from '../../model/index.ts';
import { placeIn } from './places.ts';
import type { GeoDatabase } from './database.ts';
import { Kept } from './kept.ts';

/** Addresses whose background is kept: as many sources as are tracked by default would be 10 MB. */
const MAX_KEPT = 2 ** 16;

/** What is known of an address without looking at what it sends. */
export interface Background {
  readonly place: Place | undefined;
  readonly barred: Barred | undefined;
}

export interface BackgroundParts {
  readonly databases: () => readonly GeoDatabase[];
  readonly rules: (place: Place) => Barred | undefined;
  /** Own and private addresses: they are in no country, and no feed knows better. */
  readonly isHome: (ip: string) => boolean;
  /** What feeds say of it; asked at each forgetting only. */
  readonly listed: (ip: string) => Barred | undefined;
}

export interface Backgrounds {
  /** For each event. Takes a canonical address. */
  of(ip: string): Background;
  /** A database, a rule or a feed is another one now. */
  forget(): void;
}

const NOTHING: Background = { place: undefined, barred: undefined };
/** Strongest first. */
const STRENGTH: readonly Barred['state'][] = ['denied', 'banned', 'quarantined'];

const stronger = (a: Barred | undefined, b: Barred | undefined): Barred | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return STRENGTH.indexOf(a.state) <= STRENGTH.indexOf(b.state) ? a : b;
};

/** Looked up once an address and kept: a look into a database costs microseconds, one here far less than one. */
export const createBackgrounds = (parts: BackgroundParts): Backgrounds => {
  const kept = new Kept<Background>(MAX_KEPT);
  const look = (ip: string): Background => {
    if (parts.isHome(ip)) return NOTHING;
    const databases = parts.databases();
    const place = databases.length === 0 ? undefined : placeIn(databases, ip);
    const barred = stronger(place === undefined ? undefined : parts.rules(place), parts.listed(ip));
    return place === undefined && barred === undefined ? NOTHING : { place, barred };
  };
  return {
    of(ip) {
      const known = kept.get(ip);
      if (known !== undefined) return known;
      const found = look(ip);
      kept.set(ip, found);
      return found;
    },
    forget: () => kept.clear(),
  };
};
