import { LRUCache } from 'lru-cache';
import { ENOUGH_POINTS, MAX_SHOWN_CHARS } from '../model/index.ts';
import type { EpochMs, Evidence, Finding } from '../model/index.ts';

/** Evidence lines and user names that are kept of one source. */
const MAX_EVIDENCE = 20;
const MAX_USERS = 32;
const MAX_USER_CHARS = 64;

/** A score never rises beyond this many points, so that it fades in a bounded time. */
const MAX_POINTS = 200;

/** What is scored apart: what a source did, by proof, and how much of it came too fast although it is proven. */
type Account = 'proven' | 'spoofable' | 'flood';
const ACCOUNTS: readonly Account[] = ['proven', 'spoofable', 'flood'];

interface UserCount {
  ok: number;
  failed: number;
}

/** Points that a mark of a tool gave last, and when: the same mark again refreshes them, and adds nothing. */
interface ToolMark {
  readonly points: number;
  readonly at: EpochMs;
}

/** Everything remembered of one source that did something worth remembering. Maps are made when they are needed. */
export interface SourceRecord {
  readonly points: Record<Account, number>;
  scoredAt: EpochMs;
  readonly evidence: Evidence[];
  users?: Map<string, UserCount>;
  /** When somebody last authenticated here. */
  lastOkAt?: EpochMs;
  /** Rung of the throttle of each user that guesses here. */
  userRungs?: Map<string, number>;
  toolMarks?: Map<string, ToolMark>;
}

export interface Score {
  readonly proven: number;
  /** Proven and spoofable points together. */
  readonly any: number;
  /** Proven requests beyond the limits: a reason to slow down, never to ban or quarantine. */
  readonly flood: number;
}

const makeRoom = (map: Map<string, unknown>): void => {
  if (map.size < MAX_USERS) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
};

/** True for what is proven and slows its source down, no more: what comes too fast, or what the operator wants so. */
export const slowsDown = ({ family, tier, most }: Finding): boolean =>
  tier === 'proven' && (most === 'throttle' || (family === 'flood' && most === undefined));

/** What may at most quarantine is kept apart from what bans: it must not help another rule to a ban. */
const accountOf = (finding: Finding): Account => {
  if (slowsDown(finding)) return 'flood';
  return finding.most === 'quarantine' ? 'spoofable' : finding.tier;
};

/**
 * Scores, evidence and users per source identity. Sources that never did anything but ask politely have no record; the
 * least recently seen make room when the cap is reached.
 */
export class SourceMemory {
  readonly #sources: LRUCache<string, SourceRecord>;
  readonly #decayMs: number;
  evicted = 0;

  constructor(maxSources: number, decayMs: number) {
    this.#decayMs = decayMs;
    this.#sources = new LRUCache({
      // with `max` it would set 28 bytes of each source aside at once, while few have a record
      maxSize: maxSources,
      sizeCalculation: () => 1,
      dispose: (_record, _identity, reason) => {
        if (reason === 'evict') this.evicted += 1;
      },
    });
  }

  get size(): number {
    return this.#sources.size;
  }

  peek(identity: string): SourceRecord | undefined {
    return this.#sources.peek(identity);
  }

  /** The score in whole points as it stands at `now`; proven points count as spoofable ones too. */
  score(record: SourceRecord, now: EpochMs): Score {
    const faded = this.#fadedSince(record.scoredAt, now);
    const left = (account: Account): number => Math.max(0, Math.round(record.points[account] - faded));
    const proven = left('proven');
    return { proven, any: proven + left('spoofable'), flood: left('flood') };
  }

  of(identity: string, now: EpochMs): SourceRecord {
    const known = this.#sources.get(identity);
    if (known !== undefined) return known;
    const record: SourceRecord = {
      points: { proven: 0, spoofable: 0, flood: 0 },
      scoredAt: now,
      evidence: [],
    };
    this.#sources.set(identity, record);
    return record;
  }

  /** @param weight share of its points that counts */
  add(record: SourceRecord, finding: Finding, now: EpochMs, weight = 1): void {
    this.#fade(record, now);
    const account = accountOf(finding);
    const points = weight * (finding.family === 'tool' ? this.#newToolPoints(record, finding, now) : finding.points);
    record.points[account] = Math.min(MAX_POINTS, record.points[account] + points);
    this.witness(record, finding, now);
  }

  /** Keeps the line of evidence; the same rule and tier again within ten seconds replaces the last one. */
  witness(record: SourceRecord, finding: Finding, now: EpochMs): void {
    const { rule, tier, points } = finding;
    const line: Evidence = { at: now, rule, tier, points, text: finding.evidence.slice(0, MAX_SHOWN_CHARS) };
    const same = record.evidence.findIndex(
      (kept) => kept.rule === rule && kept.tier === tier && now - kept.at < 10_000,
    );
    if (same >= 0) record.evidence[same] = line;
    else {
      record.evidence.push(line);
      // the first lines say how it began, the last ones what it came to
      if (record.evidence.length > MAX_EVIDENCE) record.evidence.splice(MAX_EVIDENCE / 2, 1);
    }
  }

  /** Forgets what a source is accused of; who authenticated there stays known. */
  forgive(record: SourceRecord, now: EpochMs): void {
    for (const account of ACCOUNTS) record.points[account] = 0;
    record.scoredAt = now;
    delete record.toolMarks;
  }

  countUser(record: SourceRecord, user: string, ok: boolean): void {
    const name = user.slice(0, MAX_USER_CHARS);
    const users = (record.users ??= new Map());
    let count = users.get(name);
    if (count === undefined) {
      makeRoom(users);
      count = { ok: 0, failed: 0 };
      users.set(name, count);
    }
    if (ok) count.ok += 1;
    else count.failed += 1;
  }

  /** Climbs the throttle of one user at this source. @returns the new rung, 0 for the first */
  climbUser(record: SourceRecord, user: string): number {
    const rungs = (record.userRungs ??= new Map());
    const last = rungs.get(user);
    if (last === undefined) makeRoom(rungs);
    const rung = (last ?? -1) + 1;
    rungs.set(user, rung);
    return rung;
  }

  /** A tool that shows its mark with each request is one tool, not a hundred: only what has faded since is added. */
  #newToolPoints(record: SourceRecord, { rule, tier, points }: Finding, now: EpochMs): number {
    const mark = `${tier} ${rule}`;
    const marks = (record.toolMarks ??= new Map());
    const last = marks.get(mark);
    const standing = last === undefined ? 0 : Math.max(0, last.points - this.#fadedSince(last.at, now));
    const added = Math.max(0, points - standing);
    marks.set(mark, { points: Math.max(points, standing), at: Math.max(now, last?.at ?? now) });
    return added;
  }

  #fadedSince(then: EpochMs, now: EpochMs): number {
    return (Math.max(0, now - then) / this.#decayMs) * ENOUGH_POINTS;
  }

  #fade(record: SourceRecord, now: EpochMs): void {
    const faded = this.#fadedSince(record.scoredAt, now);
    for (const account of ACCOUNTS) record.points[account] = Math.max(0, record.points[account] - faded);
    record.scoredAt = Math.max(record.scoredAt, now);
  }
}
