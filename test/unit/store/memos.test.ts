import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Memo } from '../../../src/model/index.ts';
import { DEFAULT_RETENTION } from '../../../src/store/index.ts';
import { openDatabase } from '../../../src/store/thread/open-database.ts';
import { pruneStep } from '../../../src/store/thread/retention.ts';
import { ban, DAY, list, NOW, put, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const memo = (key: string, over: Partial<Memo> = {}): Memo => ({
  kind: 'evidence',
  key,
  at: NOW,
  until: NOW + DAY,
  body: JSON.stringify({ text: `of ${key}` }),
  ...over,
});

const keysOf = (memos: readonly Memo[]): string[] => memos.map(({ key }) => key);

describe('memos', () => {
  it('are there after a restart, each under its kind, oldest first', async () => {
    const before = await room.open();
    const two = [memo('198.51.100.8', { at: NOW + 1 }), memo('198.51.100.7', { body: '{"text":"\\u0000 \\ud800"}' })];
    await before.keep([...two, memo('198.51.100.7', { kind: 'decision' })]);
    await before.close();
    const after = await room.open();
    expect(await after.recall('evidence', NOW)).toEqual([two[1], two[0]]);
    expect(keysOf(await after.recall('decision', NOW))).toEqual(['198.51.100.7']);
    expect(await after.recall('customer', NOW)).toEqual([]);
  });

  it('are replaced by their key, end, and are taken out when they have ended by their own word', async () => {
    const records = await room.open();
    await records.keep([memo('a'), memo('b'), memo('c', { until: NOW + 10 })]);
    await records.keep([memo('a', { at: NOW + 1, body: '"new"' }), memo('b', { until: NOW })]);
    expect((await records.recall('evidence', NOW)).map(({ key, body }) => `${key} ${body}`)).toEqual([
      'c {"text":"of c"}',
      'a "new"',
    ]);
    expect(keysOf(await records.recall('evidence', NOW + 10))).toEqual(['a']);
  });

  it('that are larger than anybody makes them are left out and counted; the others are kept', async () => {
    const records = await room.open();
    await records.keep([memo('large', { body: 'x'.repeat(20_000) }), memo('k'.repeat(400)), memo('small')]);
    expect(keysOf(await records.recall('evidence', NOW))).toEqual(['small']);
    expect(records.stats().failures).toBe(1);
  });

  it('are told to the giver when they cannot be written', async () => {
    const records = await room.open();
    await records.close();
    await expect(records.keep([memo('a')])).rejects.toThrow('is closed');
  });

  it('are pruned by age, then by number of each kind: the oldest go', () => {
    const db = openDatabase({ file: room.file, maxBytes: 0 });
    const insert = db.prepare('INSERT INTO memos (kind, key, at, until, body) VALUES (?, ?, ?, ?, ?)');
    for (let at = 0; at < 10; at += 1) {
      insert.run('evidence', `e${at}`, at, NOW + at - 2, '""');
      insert.run('tune', `t${at}`, at, NOW + DAY, '""');
    }
    const retention = { ...DEFAULT_RETENTION, memoRows: { ...DEFAULT_RETENTION.memoRows, evidence: 3 } };
    while (pruneStep(db, NOW, retention) > 0);
    const left = db.prepare<[string], string>('SELECT key FROM memos WHERE kind = ? ORDER BY at').pluck();
    expect(left.all('evidence')).toEqual(['e7', 'e8', 'e9']);
    expect(left.all('tune')).toHaveLength(10);
    db.close();
  });

  it('come to a database of the version before, and its rows stay', async () => {
    const old = await room.open();
    old.remember(put(ban('198.51.100.7')), NOW);
    await old.close();
    const db = new SqliteDatabase(room.file);
    db.exec('DROP TABLE memos');
    db.pragma('user_version = 1');
    db.close();
    const records = await room.open();
    expect((await records.load(NOW)).entries).toEqual([ban('198.51.100.7')]);
    await records.keep([memo('a')]);
    expect(keysOf(await records.recall('evidence', NOW))).toEqual(['a']);
  });

  it('come over when a damaged file is rescued, also one of the version before without them', async () => {
    const before = await room.open();
    before.remember(put(list('allow', '203.0.113.0/24')), NOW);
    await before.keep([memo('a')]);
    await before.close();
    const db = new SqliteDatabase(room.file);
    // an index that names another table's page: found by the check at the start, and rows are still readable
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.exec(
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'ladder') WHERE name = 'bans_ended'",
    );
    db.close();
    const records = await room.open();
    expect(records.stats().lastError).toMatch(/was damaged.*1 entries.*1 memos/);
    expect(keysOf(await records.recall('evidence', NOW))).toEqual(['a']);
    expect((await records.load(NOW)).entries).toHaveLength(1);
  });
});
