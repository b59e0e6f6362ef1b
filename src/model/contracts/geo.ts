import type { EpochMs } from '../time.ts';

/** One .mmdb file that is looked into. */
export interface GeoDatabaseRow {
  readonly file: string;
  /** As the file names itself, e.g. `DBIP-Country-Lite`; empty when it cannot be read. */
  readonly type: string;
  readonly knows: readonly ('country' | 'network')[];
  /** When its makers built it; null when it cannot be read. */
  readonly builtAt: EpochMs | null;
  /** What is wrong with the file as it is now; an older content of it may still be in use. Empty when nothing is. */
  readonly problem: string;
}

/** What became of one file of an update. */
export interface GeoUpdateRow {
  readonly url: string;
  readonly outcome: 'updated' | 'same' | 'failed';
  readonly message: string;
}

export interface GeoReport {
  readonly databases: readonly GeoDatabaseRow[];
  /** Age of the oldest database in use; null without any. */
  readonly ageMs: number | null;
  readonly update: {
    readonly running: boolean;
    readonly startedAt: EpochMs | null;
    readonly endedAt: EpochMs | null;
    readonly files: readonly GeoUpdateRow[];
  };
}

/** Where an address is, as far as the databases say. */
export interface Place {
  /** ISO 3166, two capital letters; empty when unknown. */
  readonly country: string;
  /** Number of the network (autonomous system); 0 when unknown. */
  readonly asn: number;
  /** Who runs the network. Text of the database: escaped where shown. */
  readonly network: string;
}

/** What the configuration, or what was learned from elsewhere, thinks of an address that no list names. */
export interface Barred {
  readonly state: 'denied' | 'banned' | 'quarantined';
  /** Our own words. */
  readonly reason: string;
  /** Left out unless the country is what is held against it; `unknown` when it has none. */
  readonly country?: string | undefined;
}

export interface GeoOperations {
  geoReport(): Promise<GeoReport>;
  /** Starts to fetch the configured databases, unless that goes on already. Never waits for it. */
  geoUpdate(): Promise<GeoReport>;
  /** @throws CompanionError ADDRESS_INVALID */
  geoShow(ip: string): Promise<{ readonly ip: string; readonly place: Place; readonly barred: Barred | null }>;
}
