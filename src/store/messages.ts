import type { AuditLine, BanEntry, Change, EpochMs, LadderRung } from '../model/index.ts';

/** What crosses between the main thread and the database thread. */

/** A change as it is written. `stripped`: its evidence was left out under pressure; what is on disk already stays. */
export interface StoredChange {
  readonly change: Change;
  readonly at: EpochMs;
  readonly stripped: boolean;
}

/** How long and how many rows are kept. */
export interface Retention {
  readonly bansMs: number;
  readonly bansRows: number;
  readonly auditMs: number;
  readonly auditRows: number;
  readonly ladderMs: number;
}

const DAY_MS = 86_400_000;
export const DEFAULT_RETENTION: Retention = {
  bansMs: 90 * DAY_MS,
  bansRows: 200_000,
  auditMs: 90 * DAY_MS,
  auditRows: 200_000,
  ladderMs: 90 * DAY_MS,
};

export interface ThreadOptions {
  readonly file: string;
  /** The file never grows beyond this: the oldest history makes room. At least 32 MiB. */
  readonly maxBytes: number;
}

/** Keys, bodies and evidence of the entries, side by side, as text. */
export interface Loaded {
  readonly keys: readonly string[];
  readonly bodies: readonly string[];
  readonly evidence: readonly (string | null)[];
  readonly ladder: readonly LadderRung[];
}

export interface WriteReport {
  /** Items that this database will never take (not a matter of time or space), and the first problem. */
  readonly rejected: number;
  readonly problem: string;
}

/** Every call: what is asked, what is answered. */
export interface Calls {
  open: { ask: { readonly now: EpochMs }; answer: null };
  load: { ask: { readonly now: EpochMs }; answer: Loaded };
  write: {
    ask: { readonly changes: readonly StoredChange[]; readonly audit: readonly AuditLine[] };
    answer: WriteReport;
  };
  history: { ask: { readonly subject: string; readonly limit: number }; answer: readonly BanEntry[] };
  decisions: { ask: { readonly since: EpochMs; readonly limit: number }; answer: readonly AuditLine[] };
  auditTrail: { ask: { readonly subject: string | null; readonly limit: number }; answer: readonly AuditLine[] };
  /** Forces what is committed through to the disk, so that it survives a loss of power too. */
  sync: { ask: null; answer: null };
  prune: { ask: { readonly now: EpochMs; readonly retention: Retention }; answer: { readonly removed: number } };
  close: { ask: null; answer: null };
}

export type CallName = keyof Calls;

export type Question = {
  [Name in CallName]: { readonly id: number; readonly name: Name; readonly ask: Calls[Name]['ask'] };
}[CallName];

export type Reply =
  | { readonly id: number; readonly ok: true; readonly answer: unknown }
  | { readonly id: number; readonly ok: false; readonly problem: string }
  /** Something the operator must know although nobody asked: a corrupt file was moved aside. */
  | { readonly notice: string };
