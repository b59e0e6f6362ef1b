import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RETENTION, type Retention } from '../../../src/store/index.ts';
import { openDatabase } from '../../../src/store/thread/open-database.ts';
import { auditTrail, history, ladder, load } from '../../../src/store/thread/read.ts';
import { pruneStep } from '../../../src/store/thread/retention.ts';
import { prepareWrite } from '../../../src/store/thread/write.ts';
import type { Change, EpochMs } from '../../../src/model/index.ts';
import { auditLine, ban, DAY, good, HOUR, list, NOW, put, remove, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
let db: Database;
beforeEach(() => {
  room = storeRoom();
  db = openDatabase({ file: room.file, maxBytes: 2 ** 31 });
});
afterEach(async () => {
  db.close();
  await room.leave();
});

const write = (changes: readonly Change[], at: EpochMs, audit = [] as ReturnType<typeof auditLine>[]): void => {
  expect(
    prepareWrite(db)({ changes: changes.map((change) => ({ change, at, stripped: false })), audit }).rejected,
  ).toBe(0);
};

const prune = (now: EpochMs, over: Partial<Retention> = {}): number[] => {
  const steps: number[] = [];
  for (let rows = 1; rows > 0;) {
    rows = pruneStep(db, now, { ...DEFAULT_RETENTION, ...over });
    if (rows > 0) steps.push(rows);
  }
  return steps;
};

const count = (table: string): unknown => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();

describe('retention', () => {
  it('keeps history and ladder for 90 days after the end of a ban', () => {
    write([put(ban('198.51.100.7'))], NOW);
    const end = NOW + HOUR;
    expect([prune(end - 1), prune(end), count('entries')]).toEqual([[], [1], 0]);
    expect(prune(end + 90 * DAY)).toEqual([]);
    expect(history(db, '198.51.100.7', 1)).toHaveLength(1);
    expect(ladder(db).levels).toHaveLength(1);
    expect(prune(end + 90 * DAY + 1)).toEqual([1, 1]);
    expect([count('bans'), count('ladder')]).toEqual([0, 0]);
  });

  it('never ages what still stands, and counts from its end', () => {
    const permanent = ban('198.51.100.7', { until: null });
    write([put(permanent), put(list('allow', '203.0.113.0/24'))], NOW);
    expect(prune(NOW + 3_650 * DAY)).toEqual([]);
    write([remove(permanent, 'operator')], NOW + 3_650 * DAY);
    expect(prune(NOW + 3_740 * DAY)).toEqual([]);
    expect(prune(NOW + 3_741 * DAY)).toEqual([1, 1]);
    expect(load(db, NOW + 3_741 * DAY, 0).bodies.ends).toHaveLength(1);
  });

  it('removes old audit lines', () => {
    write([], NOW, [auditLine(), auditLine({ at: NOW + DAY })]);
    expect(prune(NOW + 90 * DAY + 1)).toEqual([1]);
    expect(auditTrail(db, null, 9)).toEqual([auditLine({ at: NOW + DAY })]);
  });

  it('keeps the newest rows when there are too many, in steps of at most 1000', () => {
    const bans = Array.from({ length: 2_600 }, (_, index) =>
      put(ban(`10.0.${index >> 8}.${index & 255}`, { since: NOW + index, until: NOW + DAY, level: 0 })),
    );
    write(
      bans,
      NOW,
      Array.from({ length: 1_200 }, (_, index) => auditLine({ at: NOW + index })),
    );
    expect(prune(NOW + HOUR, { bansRows: 100, auditRows: 150 })).toEqual([1_000, 1_000, 500, 1_000, 50]);
    expect(db.prepare('SELECT min(since) FROM bans').pluck().get()).toBe(NOW + 2_500);
    expect(auditTrail(db, null, 1)[0]?.at).toBe(NOW + 1_199);
    expect(count('entries')).toBe(2_600);
  });

  it('removes expired registrations in steps', () => {
    write(
      Array.from({ length: 2_500 }, (_, index) => put(good('192.0.2.1', `user${index}`, { until: NOW + index }))),
      NOW,
    );
    expect(prune(NOW + 2_400)).toEqual([1_000, 1_000, 401]);
    expect(load(db, NOW + 2_400, 0).bodies.ends).toHaveLength(99);
  });

  it('does not scan whole tables every minute', () => {
    const plan = (sql: string): string =>
      (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join();
    for (const where of [
      'entries WHERE until <= 5',
      'ladder WHERE last_until < 5',
      'bans WHERE coalesce(lifted_at, until) < 5',
      'audit WHERE at < 5',
      'memos WHERE until <= 5',
    ]) {
      expect(plan(`SELECT rowid FROM ${where} LIMIT 5`)).toMatch(/^SEARCH/);
    }
  });
});
