import type { EpochMs } from '../time.ts';

/** One row of an import: an address, and what the file said about it. */
export interface ImportRow {
  readonly subject: string;
  /** Why, or what it is. */
  readonly note?: string | undefined;
  /** When it ends; null or left out: as the importing command says. */
  readonly until?: EpochMs | null | undefined;
}

export interface ImportRequest {
  readonly rows: readonly ImportRow[];
  readonly author: string;
  /** Looks at every row and changes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Bans only: even if registered phones, a peer or an allow entry would be hit. */
  readonly force?: boolean | undefined;
  /** For rows that name no end: milliseconds, null for none. Left out: bans last the configured time, lists have no end. */
  readonly durationMs?: number | null | undefined;
}

/** A row that was not taken. `row` counts from 0 within the request. */
export interface ImportProblem {
  readonly row: number;
  readonly subject: string;
  readonly code: string;
  readonly message: string;
}

/** What became of the rows: `added + same + ended + problems.length` is their number. */
export interface ImportReport {
  readonly added: number;
  /** Stands already, at least as long. */
  readonly same: number;
  /** Their end has passed. */
  readonly ended: number;
  readonly problems: readonly ImportProblem[];
}
