import { Reader } from 'mmdb-lib';
import { CompanionError } from '../../model/index.ts';
import type { EpochMs, Place } from '../../model/index.ts';

/** What the files of MaxMind, DB-IP and others have in common. Their texts and numbers are not believed unseen. */
type Found = Readonly<Record<string, unknown>>;

/** Longest name of a network that is kept. */
const MAX_NETWORK_CHARS = 80;
const COUNTRY = /^[A-Z]{2}$/;
/** Databases say it of addresses that are everywhere (anycast, satellites). */
const NOWHERE = 'ZZ';
/** The tree must leave room for data and metadata; a file that claims more is cut off. */
const NODE_BYTES: ReadonlySet<number> = new Set([6, 7, 8]);
/** Addresses all over both families: each branch near the root, and what it leads to, is read once. */
const SAMPLES = 512;

export interface GeoDatabase {
  /** As the file names itself. */
  readonly type: string;
  readonly builtAt: EpochMs;
  readonly knows: readonly ('country' | 'network')[];
  /** What it says of a canonical address; empty where it says nothing. Never throws. */
  of(ip: string): Partial<Place>;
}

const recordOf = (value: unknown): Found => (typeof value === 'object' && value !== null ? (value as Found) : {});

const isoOf = (value: unknown): string => {
  const iso: unknown = recordOf(value)['iso_code'];
  return typeof iso === 'string' && COUNTRY.test(iso) && iso !== NOWHERE ? iso : '';
};

/** Where it is, else where it is registered; `country_code` is what flat databases write. */
const countryOf = (found: Found): string => {
  const flat = found['country_code'];
  return isoOf(found['country']) || isoOf({ iso_code: flat }) || isoOf(found['registered_country']);
};

const placeOf = (found: Found): Partial<Place> => {
  const country = countryOf(found);
  const asn = found['autonomous_system_number'];
  const network = found['autonomous_system_organization'];
  return {
    ...(country === '' ? {} : { country }),
    ...(typeof asn === 'number' && Number.isSafeInteger(asn) && asn > 0 ? { asn } : {}),
    ...(typeof network === 'string' && network !== '' ? { network: network.slice(0, MAX_NETWORK_CHARS) } : {}),
  };
};

const sampleOf = (index: number): string =>
  index % 2 === 0 ? `${(index >> 1) & 255}.${(index * 7) & 255}.0.1` : `${(0x2000 + (index << 3)).toString(16)}::1`;

const invalid = (file: string, why: string, cause?: unknown): CompanionError =>
  new CompanionError(
    'GEO_INVALID',
    `${file} is not a usable .mmdb database: ${why}. Fetch it again ('companion geo update'); until then what was known before goes on.`,
    { cause },
  );

/**
 * Opens a country, city or network (ASN) database. Everything that can be looked at in a moment is looked at: a file that
 * was cut off or damaged is refused here and not found out request by request.
 * @throws CompanionError GEO_INVALID
 */
export const openGeoDatabase = (bytes: Buffer, file: string): GeoDatabase => {
  let reader: Reader<never>;
  try {
    reader = new Reader<never>(bytes);
  } catch (error) {
    throw invalid(file, 'it has no readable head', error);
  }
  const { nodeCount, searchTreeSize, nodeByteSize, databaseType, buildEpoch, ipVersion } = reader.metadata;
  if (
    !Number.isSafeInteger(nodeCount) ||
    nodeCount < 1 ||
    !NODE_BYTES.has(nodeByteSize) ||
    searchTreeSize + 16 >= bytes.length
  )
    throw invalid(file, 'it is cut off');
  if ((ipVersion !== 4 && ipVersion !== 6) || typeof databaseType !== 'string' || Number.isNaN(buildEpoch.getTime()))
    throw invalid(file, 'its head is damaged');
  // an IPv6 address in a tree of IPv4 would be looked up by its first bits
  const find = (ip: string): Partial<Place> =>
    ipVersion === 4 && ip.includes(':') ? {} : placeOf(recordOf(reader.get(ip)));
  const knows = new Set<'country' | 'network'>();
  let hits = 0;
  try {
    for (let index = 0; index < SAMPLES; index += 1) {
      const place = find(sampleOf(index));
      if (place.country !== undefined) knows.add('country');
      if (place.asn !== undefined) knows.add('network');
      if (Object.keys(place).length > 0) hits += 1;
    }
  } catch (error) {
    throw invalid(file, 'its data are damaged', error);
  }
  // a small database may not hold any of the samples: its name says what it is for
  if (hits === 0) knows.add(/asn|isp/i.test(databaseType) ? 'network' : 'country');
  return {
    type: databaseType.slice(0, MAX_NETWORK_CHARS),
    builtAt: buildEpoch.getTime(),
    knows: [...knows].toSorted(),
    of(ip) {
      try {
        return find(ip);
      } catch {
        return {}; // a damaged spot: nothing is known there, and nothing is blocked for it
      }
    },
  };
};
