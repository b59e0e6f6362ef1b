import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Records } from '../../../src/model/index.ts';
import { auditLine, ban, evidence, NOW, put, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await room.leave();
});

const count = async (records: Records): Promise<number> => (await records.load(NOW)).entries.length;
const address = (number: number): string => `10.0.${number >> 8}.${number & 255}`;

/** A file system of its own, so that it can be full; only root may mount one. */
const smallDisk = (directory: string): boolean => {
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe('a full disk', () => {
  it('costs nothing but time: decisions wait, failures are counted, room brings it all to disk', async ({ skip }) => {
    const disk = join(room.directory, 'disk');
    mkdirSync(disk);
    if (!smallDisk(disk)) return skip('this user may not mount a tmpfs');
    try {
      const log = { info: vi.fn<() => void>(), warn: vi.fn<() => void>(), error: vi.fn<() => void>() };
      const records = await room.open({ file: join(disk, 'companion.db'), log });
      records.remember(put(ban(address(0))), NOW);
      await records.flush();
      const filler = openSync(join(disk, 'filler'), 'w');
      expect(() => {
        for (;;) writeSync(filler, Buffer.alloc(4096));
      }).toThrow(/ENOSPC/);
      closeSync(filler);

      for (let number = 1; number <= 100; number++) records.remember(put(ban(address(number))), NOW);
      await vi.waitFor(() => expect(records.stats().failures).toBeGreaterThanOrEqual(2), { timeout: 5_000 });
      expect(records.stats()).toMatchObject({
        queued: 100,
        droppedEvidence: 0,
        lastError: expect.stringMatching(/full|I\/O/),
      });
      expect(log.warn).toHaveBeenCalledTimes(1);
      expect(await records.history(address(0), 1)).toHaveLength(1);

      rmSync(join(disk, 'filler'));
      await records.flush();
      expect(records.stats().queued).toBe(0);
      expect(await count(records)).toBe(101);
      expect((await records.load(NOW)).entries).toContainEqual(ban(address(100)));
      expect(log.info).toHaveBeenCalledTimes(1);
      await records.close();
    } finally {
      execFileSync('/bin/umount', ['-l', disk]);
    }
  });

  it('flush says within its deadline that nothing is on disk', { timeout: 20_000 }, async () => {
    const records = await room.open();
    const lock = new SqliteDatabase(room.file);
    lock.exec('BEGIN IMMEDIATE');
    records.remember(put(ban(address(1))), NOW);
    await expect(records.flush()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('1 changes are not on disk'),
    });
    expect(records.stats()).toMatchObject({ queued: 1, lastError: expect.stringContaining('locked') });
    lock.exec('ROLLBACK');
    lock.close();
    await records.flush();
    expect(await count(records)).toBe(1);
  });

  it(
    'of our own cap: the oldest audit and history make room, what is enforced stays',
    { timeout: 60_000 },
    async () => {
      const maxBytes = 32 * 1024 * 1024;
      const records = await room.open({ maxBytes, queueLimit: 100_000 });
      for (let number = 0; number < 500; number++) records.remember(put(ban(address(number))), NOW);
      for (let number = 0; number < 40_000; number++)
        records.audit(auditLine({ at: NOW + number, detail: 'x'.repeat(1_000) }));
      await records.flush();
      expect(records.stats()).toMatchObject({ queued: 0, failures: 0 });
      expect(await count(records)).toBe(500);
      expect((await records.auditTrail(null, 1))[0]?.at).toBe(NOW + 39_999);
      await records.close();
      const db = new SqliteDatabase(room.file, { readonly: true });
      const pages = db.pragma('page_count', { simple: true }) as number;
      expect(pages * 4096).toBeLessThanOrEqual(maxBytes);
      expect(db.prepare('SELECT min(at) FROM audit').pluck().get()).toBeGreaterThan(NOW);
      db.close();
    },
  );
});

describe('a database thread that dies', () => {
  it('is started again, and nothing that was handed over is lost', async () => {
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const records = await room.open();
    const worker = post.mock.contexts[0];
    if (!(worker instanceof Worker)) throw new Error('no worker');
    for (let number = 0; number < 100; number++) records.remember(put(ban(address(number))), NOW);
    const flushed = records.flush().catch(() => undefined);
    const asked = records.history('10.0.0.1', 1);
    await worker.terminate();
    await expect(asked).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await flushed;
    await records.flush();
    expect(await count(records)).toBe(100);
    expect(records.stats()).toMatchObject({
      queued: 0,
      failures: 1,
      lastError: expect.stringContaining('thread ended'),
    });
  });
});

describe('too much at once', () => {
  it('drops evidence and what detectors say for the record, never a decision or an act of an operator', async () => {
    const records = await room.open({ queueLimit: 50 });
    for (let number = 0; number < 200; number++) {
      records.remember(put(ban(address(number), { evidence: evidence(3) })), NOW);
      records.audit(auditLine({ actor: 'detector', detail: String(number) }));
    }
    for (let number = 0; number < 40; number++) records.audit(auditLine({ detail: String(number) }));
    expect(records.stats()).toMatchObject({ queued: 290, droppedEvidence: 450, droppedAudit: 150 });
    await records.flush();
    expect(await count(records)).toBe(200);
    expect((await records.auditTrail(null, 1_000)).filter(({ actor }) => actor !== 'detector')).toHaveLength(40);
  });

  it('does not wipe the evidence that is on disk already', async () => {
    const records = await room.open({ queueLimit: 1 });
    records.remember(put(ban(address(1))), NOW);
    await records.flush();
    records.remember(put(ban(address(2))), NOW);
    records.remember(put(ban(address(1), { until: NOW + 5 })), NOW);
    expect(records.stats().droppedEvidence).toBe(2);
    await records.flush();
    expect((await records.load(NOW)).entries).toContainEqual(ban(address(1), { until: NOW + 5 }));
    expect(await records.history(address(1), 1)).toEqual([ban(address(1), { until: NOW + 5 })]);
  });
});
