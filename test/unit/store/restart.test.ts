import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryKey, type Entry } from '../../../src/model/index.ts';
import { auditLine, ban, DAY, everyKind, evidence, good, HOUR, list, NOW, put, remove, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const byKey = (entries: readonly Entry[]): Entry[] => entries.toSorted((a, b) => (entryKey(a) < entryKey(b) ? -1 : 1));

describe('a restart', () => {
  it('keeps every kind of entry as it was', async () => {
    const before = await room.open();
    for (const entry of everyKind()) before.remember(put(entry), NOW);
    expect(before.stats().queued).toBe(everyKind().length);
    await before.close();
    const after = await room.open();
    expect(byKey((await after.load(NOW)).entries)).toEqual(byKey(everyKind()));
    expect(after.stats()).toEqual({
      queued: 0,
      droppedEvidence: 0,
      droppedAudit: 0,
      failures: 0,
      lastError: '',
      trouble: '',
    });
  });

  it('writes without being asked to flush', async () => {
    const records = await room.open();
    records.remember(put(ban('198.51.100.7')), NOW);
    while (records.stats().queued > 0) await new Promise((done) => setImmediate(done));
    const other = await room.open();
    expect((await other.load(NOW)).entries).toHaveLength(1);
  });

  it('leaves out what has expired and what was removed', async () => {
    const records = await room.open();
    records.remember(put(ban('198.51.100.1', { until: NOW })), NOW);
    records.remember(put(ban('198.51.100.2', { until: NOW + 1 })), NOW);
    records.remember(put(list('allow', '203.0.113.1/32')), NOW);
    await records.flush();
    records.remember(remove(list('allow', '203.0.113.1/32'), 'operator'), NOW);
    await records.flush();
    expect((await records.load(NOW)).entries.map(entryKey)).toEqual(['ban 198.51.100.2']);
  });

  it('holds the last of many changes of one entry', async () => {
    const records = await room.open();
    for (let count = 1; count <= 100; count++)
      records.remember(put(good('192.0.2.1', 'alice', { until: NOW + count })), NOW);
    expect(records.stats().queued).toBe(1);
    await records.flush();
    for (let count = 1; count <= 100; count++)
      records.remember(put(good('192.0.2.1', 'alice', { until: NOW + 2 * count })), NOW);
    await records.flush();
    expect((await records.load(NOW)).entries).toEqual([good('192.0.2.1', 'alice', { until: NOW + 200 })]);
  });

  it('keeps the files to their owner, whatever the umask and whoever made them', async () => {
    writeFileSync(room.file, '');
    chmodSync(room.file, 0o644);
    const records = await room.open();
    records.remember(put(ban('198.51.100.7')), NOW);
    await records.flush();
    const modes = readdirSync(room.directory).map((name) => [name, statSync(join(room.directory, name)).mode & 0o777]);
    expect(Object.fromEntries(modes)).toEqual({
      'companion.db': 0o600,
      'companion.db-wal': 0o600,
      'companion.db-shm': 0o600,
    });
  });
});

describe('the history of a subject', () => {
  it('shows bans newest first, each with its evidence and its real end', async () => {
    const records = await room.open();
    const first = ban('198.51.100.7', { since: NOW - 2 * DAY, until: NOW - 2 * DAY + HOUR });
    const second = ban('198.51.100.7', { since: NOW - DAY, until: null, level: 2, evidence: evidence(5) });
    const third = ban('198.51.100.7', { since: NOW, level: 3 });
    records.remember(put(first), first.since);
    records.remember(remove(first), NOW - 2 * DAY + HOUR + 500);
    records.remember(put(second), second.since);
    records.remember(remove(second, 'operator'), NOW - HOUR);
    records.remember(put(third), NOW);
    records.remember(put(ban('198.51.100.8')), NOW);
    expect(await records.history('198.51.100.7', 10)).toEqual([]);
    await records.flush();
    expect(await records.history('198.51.100.7', 10)).toEqual([third, { ...second, until: NOW - HOUR }, first]);
    expect(await records.history('198.51.100.7', 1)).toEqual([third]);
    expect(await records.history('198.51.100.7', -1)).toEqual([]);
    expect(await records.history("' OR 1=1 --", 10)).toEqual([]);
  });

  it('ends a ban that a new one replaced without a removal', async () => {
    const records = await room.open();
    records.remember(put(ban('198.51.100.7', { since: NOW - 100 })), NOW - 100);
    await records.flush();
    records.remember(put(ban('198.51.100.7', { since: NOW, level: 2 })), NOW);
    await records.flush();
    expect((await records.history('198.51.100.7', 10)).map(({ since, until }) => [since, until])).toEqual([
      [NOW, NOW + HOUR],
      [NOW - 100, NOW],
    ]);
    expect((await records.load(NOW)).entries).toEqual([ban('198.51.100.7', { since: NOW, level: 2 })]);
  });
});

describe('the ladder', () => {
  it('outlives the ban of a detector, and knows none by hand', async () => {
    const records = await room.open();
    records.remember(put(ban('198.51.100.1', { level: 3 })), NOW);
    records.remember(put(ban('198.51.100.2', { origin: 'operator', level: 0 })), NOW);
    records.remember(put(ban('198.51.100.3', { origin: 'foreign', level: 1 })), NOW);
    await records.flush();
    records.remember(remove(ban('198.51.100.1', { level: 3 })), NOW + HOUR);
    await records.flush();
    expect(await records.load(NOW + 2 * HOUR)).toEqual({
      entries: [],
      ladder: [{ subject: '198.51.100.1', level: 3, lastUntil: NOW + HOUR }],
    });
  });

  it('counts from the lifting of a ban, and keeps the rung of the successor', async () => {
    const records = await room.open();
    const lifted = ban('198.51.100.1', { until: null });
    const old = ban('198.51.100.2');
    const successor = ban('198.51.100.2', { since: NOW + 1, until: NOW + DAY, level: 2 });
    for (const change of [put(lifted), remove(lifted, 'operator'), put(old), remove(old, 'superseded'), put(successor)])
      records.remember(change, NOW + 1);
    await records.flush();
    expect((await records.load(NOW)).ladder).toEqual([
      { subject: '198.51.100.1', level: 1, lastUntil: NOW + 1 },
      { subject: '198.51.100.2', level: 2, lastUntil: NOW + DAY },
    ]);
  });
});

describe('the audit trail', () => {
  it('is kept in order, newest first, by subject or whole', async () => {
    const records = await room.open();
    const lines = [
      auditLine(),
      auditLine({ subject: '198.51.100.8', action: 'allow.add' }),
      auditLine({ actor: 'detector', action: 'quarantine' }),
    ];
    for (const line of lines) records.audit(line);
    await records.close();
    const after = await room.open();
    expect(await after.auditTrail(null, 10)).toEqual(lines.toReversed());
    expect(await after.auditTrail('198.51.100.7', 10)).toEqual([lines[2], lines[0]]);
    expect(await after.auditTrail(null, 1)).toEqual([lines[2]]);
    expect(await after.decisions(0, 10)).toEqual(lines.toReversed().filter(({ actor }) => actor === 'detector'));
    expect(await after.decisions(lines[2]!.at + 1, 10)).toEqual([]);
  });
});

describe('after close', () => {
  it('counts what comes too late, and answers questions with an error', async () => {
    const records = await room.open();
    await records.close();
    await records.close();
    records.remember(put(ban('198.51.100.7')), NOW);
    records.audit(auditLine());
    expect(records.stats()).toMatchObject({ queued: 0, failures: 2 });
    await expect(records.history('198.51.100.7', 1)).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await expect(records.load(NOW)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
});
