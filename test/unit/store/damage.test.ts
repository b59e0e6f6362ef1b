import {
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { auditLine, ban, evidence, list, NOW, put, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const aside = (): string[] => readdirSync(room.directory).filter((name) => /\.corrupt-[\dTZ-]+$/.test(name));

const fill = async (): Promise<void> => {
  const records = await room.open();
  records.remember(put(list('allow', '203.0.113.0/24')), NOW);
  for (let count = 0; count < 400; count++)
    records.remember(put(ban(`10.0.${count >> 8}.${count & 255}`, { evidence: evidence(20) })), NOW);
  records.audit(auditLine());
  await records.close();
};

const overwrite = (offset: number, bytes: number): void => {
  const handle = openSync(room.file, 'r+');
  writeSync(handle, Buffer.alloc(bytes, 0xa5), 0, bytes, offset);
  closeSync(handle);
};

describe('a damaged database', () => {
  it.each(['garbage', 'a header only'])('that is %s is kept aside, and companion starts fresh', async (what) => {
    const bytes = what === 'garbage' ? Buffer.alloc(50_000, 'no database ') : Buffer.from('SQLite format 3\0\0\0\0\0');
    writeFileSync(room.file, bytes);
    const error = vi.fn<(fields: object, message: string) => void>();
    const records = await room.open({ log: { info: () => undefined, warn: () => undefined, error } });
    expect(aside()).toEqual(['companion.db.corrupt-2026-11-20T00-00-00-000Z']);
    expect(readFileSync(join(room.directory, aside()[0] ?? ''))).toEqual(bytes);
    expect(records.stats().failures).toBe(1);
    expect(records.stats().lastError).toMatch(/was damaged .* kept as .*\.corrupt-.* nothing/);
    expect(error).toHaveBeenCalledTimes(1);
    records.remember(put(ban('198.51.100.7')), NOW);
    await records.flush();
    expect((await records.load(NOW)).entries).toEqual([ban('198.51.100.7')]);
  });

  it('gives back what can still be read of it', async () => {
    await fill();
    overwrite(Math.floor(statSync(room.file).size / 2 / 4096) * 4096, 8 * 4096);
    const records = await room.open();
    const { entries } = await records.load(NOW);
    expect(aside()).toHaveLength(1);
    expect(entries).toContainEqual(list('allow', '203.0.113.0/24'));
    expect(entries.length).toBeGreaterThan(200);
    expect(records.stats().lastError).toMatch(/could still be read: \d+ entries/);
  });

  it('that was cut short is handled the same', async () => {
    await fill();
    truncateSync(room.file, Math.floor(statSync(room.file).size / 2));
    const records = await room.open();
    await records.load(NOW);
    expect(aside()).toHaveLength(1);
  });

  it('is noticed while it is in use; what comes after is kept', async () => {
    await fill();
    const records = await room.open();
    overwrite(0, statSync(room.file).size);
    for (let count = 0; count < 50; count++) records.remember(put(ban(`10.9.0.${count}`)), NOW);
    await records.flush();
    const subjects = (await records.load(NOW)).entries.flatMap((entry) =>
      entry.kind === 'ban' ? [entry.subject] : [],
    );
    for (let count = 0; count < 50; count++) expect(subjects).toContain(`10.9.0.${count}`);
    expect(aside().length).toBeLessThanOrEqual(3);
  });

  it('with a row that makes no sense loses that row only', async () => {
    await fill();
    const db = new SqliteDatabase(room.file);
    db.exec(
      `UPDATE entries SET body = '{"kind":"ban"}' WHERE key = 'ban 10.0.0.1'; UPDATE entries SET evidence = '[' WHERE key = 'ban 10.0.0.2'`,
    );
    db.exec(`UPDATE bans SET rules = 'x' WHERE subject = '10.0.0.1'`);
    db.close();
    const records = await room.open();
    expect((await records.load(NOW)).entries).toHaveLength(399);
    expect(records.stats()).toMatchObject({ failures: 2, lastError: expect.stringContaining('ban 10.0.0.1') });
    expect(await records.history('10.0.0.1', 5)).toEqual([]);
  });
});

describe('a database that cannot be used', () => {
  it('of a newer companion is left alone', async () => {
    await fill();
    const db = new SqliteDatabase(room.file);
    db.pragma('user_version = 99');
    db.close();
    const before = readFileSync(room.file);
    await expect(room.open()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/made by a newer companion .*99/),
    });
    expect(readFileSync(room.file).equals(before)).toBe(true);
    expect(aside()).toEqual([]);
  });

  it('says what is wrong and what to do', async () => {
    mkdirSync(room.file);
    await expect(room.open()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/Cannot use the database .* Check that/),
    });
    await expect(room.open({ file: join(room.directory, 'no', 'x.db') })).rejects.toMatchObject({
      code: 'STORE_FAILED',
    });
  });
});
