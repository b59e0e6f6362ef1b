import { LRUCache } from 'lru-cache';
import { MAX_SHOWN_CHARS } from '../model/index.ts';
import type { EpochMs, Evidence, Finding, ProofTier } from '../model/index.ts';

/** Evidence lines and user names that are kept of one source. */
const MAX_EVIDENCE = 20;
const MAX_USERS = 32;

/** A score never rises beyond this many points, so that it fades in a bounded time. */
const MAX_POINTS = 200;

interface UserCount {
  ok: number;
  failed: number;
}

/** Everything remembered of one source that did something worth remembering. */
export interface SourceRecord {
  readonly points: { proven: number; spoofable: number };
  scoredAt: EpochMs;
  readonly evidence: Evidence[];
  readonly users: Map<string, UserCount>;
  /** Rung of the throttle of each user that guesses here. */
  readonly userRungs: Map<string, number>;
}

const capMap = (map: Map<string, unknown>): void => {
  if (map.size < MAX_USERS) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
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
      max: maxSources,
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

  /** The score of a tier as it stands at `now`; proven points count as spoofable ones too. */
  score(record: SourceRecord, now: EpochMs): { readonly proven: number; readonly any: number } {
    const faded = ((now - record.scoredAt) / this.#decayMs) * 100;
    const proven = Math.max(0, record.points.proven - faded);
    return { proven, any: proven + Math.max(0, record.points.spoofable - faded) };
  }

  of(identity: string, now: EpochMs): SourceRecord {
    const known = this.#sources.get(identity);
    if (known !== undefined) return known;
    const record: SourceRecord = {
      points: { proven: 0, spoofable: 0 },
      scoredAt: now,
      evidence: [],
      users: new Map(),
      userRungs: new Map(),
    };
    this.#sources.set(identity, record);
    return record;
  }

  add(record: SourceRecord, finding: Finding, now: EpochMs): void {
    this.#fade(record, now);
    record.points[finding.tier] = Math.min(MAX_POINTS, record.points[finding.tier] + finding.points);
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

  countUser(record: SourceRecord, user: string, ok: boolean): void {
    const name = user.slice(0, 64);
    let count = record.users.get(name);
    if (count === undefined) {
      capMap(record.users);
      count = { ok: 0, failed: 0 };
      record.users.set(name, count);
    }
    if (ok) count.ok += 1;
    else count.failed += 1;
  }

  /** Climbs the throttle of one user at this source. @returns the new rung, 0 for the first */
  climbUser(record: SourceRecord, user: string): number {
    const rung = (record.userRungs.get(user) ?? -1) + 1;
    capMap(record.userRungs);
    record.userRungs.set(user, rung);
    return rung;
  }

  #fade(record: SourceRecord, now: EpochMs): void {
    const faded = (Math.max(0, now - record.scoredAt) / this.#decayMs) * 100;
    for (const tier of ['proven', 'spoofable'] satisfies ProofTier[])
      record.points[tier] = Math.max(0, record.points[tier] - faded);
    record.scoredAt = now;
  }
}
