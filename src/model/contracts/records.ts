import type { BanEntry, Entry } from '../entry.ts';
import type { Change } from '../verdict.ts';
import type { EpochMs } from '../time.ts';

/** Rung of a source on the ladder, kept after the ban has ended. */
export interface LadderRung {
  readonly subject: string;
  readonly level: number;
  readonly lastUntil: EpochMs;
}

/** An administrative act or a decision, for the audit trail. `detail` may quote attacker's text (bounded). */
export interface AuditLine {
  readonly at: EpochMs;
  /** `operator:<name>`, `detector`, `companion`. */
  readonly actor: string;
  /** E.g. `ban.add`, `allow.remove`, `quarantine`. */
  readonly action: string;
  readonly subject: string;
  readonly detail: string;
}

/** What is known beside the entries: the evidence of a source, a mark, the counts of a day, a switch. */
export type MemoKind = 'evidence' | 'false-alarm' | 'decision' | 'customer' | 'tune' | 'feed';

/** The newest by `at` are kept, so many of each kind. */
export interface Memo {
  readonly kind: MemoKind;
  /** At most 300 characters. */
  readonly key: string;
  readonly at: EpochMs;
  readonly until: EpochMs;
  /** JSON of its giver, at most 16 KB. */
  readonly body: string;
}

/**
 * What survives a restart. Writing is fire and forget through a bounded queue: decisions (changes) are never dropped,
 * evidence and audit of detectors are, and counted. Nothing here is ever awaited on the verdict path.
 */
export interface Records {
  /** Active entries (expired ones are left out), lists, known-good, ladder. */
  load(now: EpochMs): Promise<{ readonly entries: readonly Entry[]; readonly ladder: readonly LadderRung[] }>;
  /** Remembers a change: puts and removals of entries, with their evidence. */
  remember(change: Change, at: EpochMs): void;
  audit(line: AuditLine): void;
  /** Earlier and current bans of a subject, newest first. */
  history(subject: string, limit: number): Promise<readonly BanEntry[]>;
  /** What companion decided by itself since then, newest first. */
  decisions(since: EpochMs, limit: number): Promise<readonly AuditLine[]>;
  auditTrail(subject: string | null, limit: number): Promise<readonly AuditLine[]>;
  /**
   * Writes memos in one transaction; one whose `until` is not after its `at` is taken out instead. The giver keeps them
   * until it has worked. @throws CompanionError STORE_FAILED
   */
  keep(memos: readonly Memo[]): Promise<void>;
  /** Memos of a kind that stand, oldest first. @throws CompanionError STORE_FAILED */
  recall(kind: MemoKind, now: EpochMs): Promise<readonly Memo[]>;
  /** Waits until all that was handed over is on disk. */
  flush(): Promise<void>;
  stats(): {
    readonly queued: number;
    readonly droppedEvidence: number;
    readonly droppedAudit: number;
    readonly failures: number;
    readonly lastError: string;
    /** What an operator should know now, as a sentence: it takes nothing, or was found damaged. Empty when all is well. */
    readonly trouble: string;
  };
  close(): Promise<void>;
}
