import type { Evidence, Origin, Until } from '../entry.ts';
import type { ProofTier, Transport } from '../source.ts';
import type { EpochMs } from '../time.ts';
import type { Answer, FalseAlarm, SourceState } from '../verdict.ts';
import type { ImportReport, ImportRequest } from './bulk.ts';
import type { AttackReport, ReloadReport, StatsReport } from './figures.ts';
import type { FeedOperations } from './feeds.ts';
import type { GeoOperations, Place } from './geo.ts';
import type { InsightOperations, MessageSample } from './insight.ts';
import type { TraceEvent } from './trace.ts';

/**
 * What an operator can ask of a running companion. The admin room exposes it (control socket, HTTP), the CLI calls it,
 * `app.ts` implements it. All values are JSON-safe. Texts that may quote attackers are escaped by whoever shows them.
 */
export interface Operations extends GeoOperations, FeedOperations, InsightOperations {
  status(): Promise<StatusReport>;
  /** @throws CompanionError ADDRESS_INVALID, DURATION_INVALID, BAN_REFUSED (without `force`), naming who would be hit */
  banAdd(request: BanRequest): Promise<BanRow>;
  banList(): Promise<readonly BanRow[]>;
  /** Lifts every ban, quarantine and throttle of the subject, everywhere. @throws CompanionError ADDRESS_INVALID, NOT_FOUND */
  banRemove(request: RemoveRequest): Promise<{ readonly removed: readonly string[] }>;
  /** Lifts every ban, quarantine and throttle there is. */
  banClear(author: string): Promise<{ readonly removed: number }>;
  /** Bad rows are told in the report; the good ones are taken. */
  banImport(request: ImportRequest): Promise<ImportReport>;
  listImport(list: 'allow' | 'deny', request: ImportRequest): Promise<ImportReport>;
  /** @throws CompanionError ADDRESS_INVALID; BAN_REFUSED without `force` when a denied address has registered phones */
  listAdd(request: ListRequest): Promise<ListRow>;
  listAll(list: 'allow' | 'deny'): Promise<readonly ListRow[]>;
  /** @throws CompanionError ADDRESS_INVALID, NOT_FOUND */
  listRemove(
    list: 'allow' | 'deny',
    request: RemoveRequest,
  ): Promise<{ readonly removed: readonly string[]; readonly standsIn?: string | undefined }>;
  /** @throws CompanionError ADDRESS_INVALID */
  check(ip: string): Promise<CheckReport>;
  /** @throws CompanionError ADDRESS_INVALID */
  why(ip: string): Promise<WhyReport>;
  /** Calls the listener for every decision that changes something, until the returned function is called. */
  watch(listener: (event: DecisionEvent) => void): () => void;
  /**
   * Calls the listener for everything that is judged of one source, until the returned function is called.
   * @throws CompanionError ADDRESS_INVALID; REQUEST_INVALID when too many traces run
   */
  trace(ip: string, listener: (event: TraceEvent) => void): () => void;
  stats(): Promise<StatsReport>;
  /** Attacks of the last `spanMs` milliseconds. */
  report(spanMs: number): Promise<AttackReport>;
  /** Addresses that begin so: banned, quarantined, listed; for completion. At most a hundred. */
  complete(kind: CompletionKind, prefix: string): Promise<readonly string[]>;
  /** Reads the configuration again. @throws CompanionError CONFIG_INVALID, CONFIG_UNREADABLE: the old one goes on */
  reload(): Promise<ReloadReport>;
}

/** Which addresses to complete: those held, those on a list, or all of them. */
export type CompletionKind = 'held' | 'allow' | 'deny' | 'any';

export interface BanRequest {
  readonly subject: string;
  /** null: permanent. Left out: the configured first rung of the ladder. */
  readonly durationMs?: number | null | undefined;
  readonly reason: string;
  readonly author: string;
  readonly force?: boolean | undefined;
}

export interface RemoveRequest {
  readonly subject: string;
  readonly author: string;
}

export interface ListRequest {
  readonly list: 'allow' | 'deny';
  readonly subject: string;
  readonly note: string;
  readonly author: string;
  /** null or left out: no end. */
  readonly durationMs?: number | null | undefined;
  /** Deny even where registered phones would be hit. */
  readonly force?: boolean | undefined;
}

/** One line of `ban list`: bans, and with `kind` also quarantines and throttles. */
export interface BanRow {
  readonly kind: 'ban' | 'quarantine' | 'throttle' | 'throttle-user';
  readonly subject: string;
  /** Only for throttle-user. */
  readonly user?: string | undefined;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly origin: Origin;
  readonly level: number;
  readonly since: EpochMs;
  readonly until: Until;
  /** Where it is; left out when no database says. */
  readonly place?: Place | undefined;
}

export interface ListRow {
  readonly list: 'allow' | 'deny';
  readonly subject: string;
  readonly note: string;
  readonly author: string;
  readonly since: EpochMs;
  readonly until: Until;
  /** Where it is; left out when no database says. */
  readonly place?: Place | undefined;
}

export interface CheckReport {
  readonly ip: string;
  readonly identity: string;
  readonly result: 'clear' | 'blocked' | 'allowed';
  readonly state: SourceState;
  readonly reason: string;
  readonly until: Until;
  /** In shadow mode: it would be so, and is not enforced. */
  readonly shadow?: true | undefined;
  /** Where it is; left out when no database says. */
  readonly place?: Place | undefined;
}

export interface WhyReport {
  readonly ip: string;
  readonly identity: string;
  readonly state: SourceState;
  readonly reason: string;
  readonly since: EpochMs | null;
  readonly until: Until;
  /** Oldest first. */
  readonly evidence: readonly Evidence[];
  /** Running score by tier, as it stands now (points, see ENOUGH_POINTS). */
  readonly score: { readonly proven: number; readonly spoofable: number };
  /** The strongest proof in the evidence: only a proven source is ever banned. */
  readonly proof: ProofTier | 'none';
  /** List entries that cover the address. */
  readonly lists: readonly ListRow[];
  /** Everything that names the address, as sentences: lists, peers, banned networks, feeds, countries. */
  readonly listed: readonly string[];
  /** What rules in shadow would have done beyond it, as sentences. */
  readonly rehearsed: readonly string[];
  /** A decision against it seems to have hit a customer; left out when none did. */
  readonly falseAlarm?: FalseAlarm | undefined;
  /** The message that decided, or the last one worth a look; left out when none was kept. Not kept over a restart. */
  readonly sample?: MessageSample | undefined;
  /** Users that authenticated from this identity, and those that failed: `{user, ok, failed}`. */
  readonly users: readonly { readonly user: string; readonly ok: number; readonly failed: number }[];
  /** Earlier bans, newest first, from the database. */
  readonly history: readonly BanRow[];
  /** What each enforcer holds for it, e.g. `{enforcer:'kamailio edge1', holds:['ipban until …']}`. */
  readonly enforced: readonly { readonly enforcer: string; readonly holds: readonly string[] }[];
  /** How its messages were built, newest last: of strangers only, a few of each. */
  readonly shapes: readonly ShapeSeen[];
  /** Phones that are known-good there, newest first; left out when none is. */
  readonly phones?: readonly PhoneSeen[] | undefined;
  /** In shadow mode: what is said here was decided and is not enforced. */
  readonly shadow?: true | undefined;
  /** Commands that undo it. */
  readonly undo: readonly string[];
  /** Where it is; left out when no database says. */
  readonly place?: Place | undefined;
}

/** A phone that authenticated from exactly this address and port. */
export interface PhoneSeen {
  readonly user: string;
  readonly ip: string;
  readonly port: number;
  readonly since: EpochMs;
  readonly until: Until;
}

/** The id of a message's build (`w1-` and eight hex digits), and the tool of a pack that builds so; empty when none does. */
export interface ShapeSeen {
  readonly id: string;
  /** Attacker's text. */
  readonly method: string;
  readonly tool: string;
  /** Name of the pack's entry. */
  readonly entry: string;
  readonly at: EpochMs;
}

export interface NodeStatus {
  readonly name: string;
  /** connected: heartbeats answered and RPC works; degraded: one of the two; down: neither. */
  readonly state: 'connected' | 'degraded' | 'down';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly entries: Readonly<Record<string, number>>;
  readonly drift: number;
  readonly lastError: string;
}

export interface StatusReport {
  readonly version: string;
  readonly startedAt: EpochMs;
  readonly mode: 'shadow' | 'enforce';
  /** One sentence, e.g. "no SIP server connected: nothing is protected". */
  readonly summary: string;
  readonly nodes: readonly NodeStatus[];
  readonly counts: {
    readonly bans: number;
    readonly quarantined: number;
    readonly throttled: number;
    readonly good: number;
    readonly allow: number;
    readonly deny: number;
    readonly trackedSources: number;
  };
  readonly requests: number;
  readonly outcomes: number;
  /** Drops by reason, e.g. `{wrong-secret: 3}`. */
  readonly drops: Readonly<Record<string, number>>;
  /** What an operator has to know: lists, names, feeds that are not as they should be. Left out when there is nothing. */
  readonly alarms?: readonly string[] | undefined;
  /** What is wrong with the database, as a sentence; left out when nothing is. */
  readonly database?: string | undefined;
}

/** A decision that changed something, as `watch` shows it. */
export interface DecisionEvent {
  readonly at: EpochMs;
  readonly node: string;
  readonly ip: string;
  readonly port: number;
  readonly transport: Transport | '';
  /** Of the request, or that an outcome is about; OTHER for what SIP does not know. */
  readonly method: string;
  readonly change:
    | 'ban'
    | 'quarantine'
    | 'throttle'
    | 'throttle-user'
    | 'good'
    | 'allow'
    | 'deny'
    | 'lift'
    | 'false-alarm';
  readonly subject: string;
  readonly answer: Answer | '';
  readonly state: SourceState;
  readonly rules: readonly string[];
  readonly until: Until;
  /** Our own words. */
  readonly reason: string;
  /** May quote attacker's text. */
  readonly evidence: string;
  /** True in shadow mode: decided, recorded, not enforced. */
  readonly shadow: boolean;
  /** One of many of the same act: the log counts them. */
  readonly bulk?: boolean | undefined;
}
