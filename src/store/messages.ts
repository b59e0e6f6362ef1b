import type { AuditLine, BanEntry, Change, EpochMs, Memo, MemoKind } from '../model/index.ts';

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
  /** Of each kind; as many as whoever gives them remembers itself. */
  readonly memoRows: Readonly<Record<MemoKind, number>>;
}

const DAY_MS = 86_400_000;
export const DEFAULT_RETENTION: Retention = {
  bansMs: 90 * DAY_MS,
  bansRows: 200_000,
  auditMs: 90 * DAY_MS,
  auditRows: 200_000,
  ladderMs: 90 * DAY_MS,
  memoRows: { evidence: 2_000, 'false-alarm': 20_000, decision: 20_000, customer: 50_000, tune: 100, feed: 1_000 },
};

export interface ThreadOptions {
  readonly file: string;
  /** The file never grows beyond this: the oldest history makes room. At least 32 MiB. */
  readonly maxBytes: number;
}

/** Many texts in one, with the end of each: crosses between threads in a hundredth of the time that an array takes. */
export interface Texts {
  readonly text: string;
  readonly ends: Uint32Array;
}

/** Some of the entries, as they stand on disk. */
export interface Page {
  readonly keys: Texts;
  readonly bodies: Texts;
  /** Evidence of the shape that we write (see `isWritten`); empty where there is none, or none of that shape. */
  readonly evidence: Texts;
  /** By number in the page: evidence of another shape. */
  readonly odd: ReadonlyMap<number, string>;
  /** Where the next page begins; undefined after the last. */
  readonly next: number | undefined;
  /** How often the file has been replaced: pages of different files do not fit together. */
  readonly rescues: number;
}

export interface LadderColumns {
  readonly subjects: Texts;
  readonly levels: readonly number[];
  readonly lastUntil: readonly number[];
}

/** Memos of one kind, column by column. */
export interface MemoColumns {
  readonly keys: Texts;
  readonly at: readonly number[];
  readonly until: readonly number[];
  readonly bodies: Texts;
}

export interface WriteReport {
  /** Items that this database will never take (not a matter of time or space), and the first problem. */
  readonly rejected: number;
  readonly problem: string;
}

/** Every call: what is asked, what is answered. */
export interface Calls {
  open: { ask: { readonly now: EpochMs }; answer: null };
  load: { ask: { readonly now: EpochMs; readonly after: number }; answer: Page };
  ladder: { ask: null; answer: LadderColumns };
  write: {
    ask: { readonly changes: readonly StoredChange[]; readonly audit: readonly AuditLine[] };
    answer: WriteReport;
  };
  history: { ask: { readonly subject: string; readonly limit: number }; answer: readonly BanEntry[] };
  decisions: { ask: { readonly since: EpochMs; readonly limit: number }; answer: readonly AuditLine[] };
  auditTrail: { ask: { readonly subject: string | null; readonly limit: number }; answer: readonly AuditLine[] };
  keep: { ask: { readonly memos: readonly Memo[] }; answer: null };
  recall: { ask: { readonly kind: MemoKind; readonly now: EpochMs; readonly limit: number }; answer: MemoColumns };
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
