import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOW, storeRoom } from './samples.ts';

let room: ReturnType<typeof storeRoom>;
beforeEach(() => {
  room = storeRoom();
});
afterEach(() => room.leave());

const WRITER = fileURLToPath(new URL('./killed-writer.ts', import.meta.url));

/** Starts the writer, and kills it `afterMs` after its n-th confirmation, in the middle of the next batch. */
const writeUntilKilled = async (file: string, confirmations: number, afterMs: number): Promise<number> => {
  const child = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > confirmations) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  const signal = await new Promise((done) => child.on('close', (_, killedBy) => done(killedBy)));
  expect(signal).toBe('SIGKILL');
  const confirmed = output.split('\n').slice(0, -1).map(Number);
  return confirmed.at(-1) ?? 0;
};

describe('kill -9', () => {
  it('loses nothing that was flushed, and does not damage the file', { timeout: 60_000 }, async () => {
    let confirmed = 0;
    for (const [confirmations, afterMs] of [
      [1, 0],
      [2, 7],
      [3, 23],
      [1, 35],
    ] as const) {
      confirmed = Math.max(confirmed, await writeUntilKilled(room.file, confirmations, afterMs));
    }
    expect(confirmed).toBeGreaterThanOrEqual(900);

    const records = await room.open();
    const { entries, ladder } = await records.load(NOW);
    const subjects = new Set(entries.map((entry) => (entry.kind === 'ban' ? entry.subject : '')));
    const missing: number[] = [];
    for (let number = 0; number < confirmed; number++) {
      const expected = number % 3 !== 0;
      if (subjects.has(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`) !== expected) missing.push(number);
    }
    expect(missing).toEqual([]);
    expect(ladder.length).toBeGreaterThanOrEqual(confirmed);
    expect(entries.filter((entry) => entry.kind === 'good')).toHaveLength(1);
    expect(records.stats()).toMatchObject({ failures: 0, lastError: '' });
    await records.close();

    const db = new SqliteDatabase(room.file);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    const count = (table: string): unknown => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect(count('bans')).toBeGreaterThanOrEqual(confirmed);
    expect(count('audit')).toBeGreaterThanOrEqual(confirmed);
    db.close();
  });
});

describe('a process that ends without closing', () => {
  it('writes what it was handed, and is not kept alive by the database', { timeout: 20_000 }, async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./left-open.ts', import.meta.url)), room.file], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 15_000,
    });
    expect(await new Promise((done) => child.on('close', (code) => done(code)))).toBe(0);
    const records = await room.open();
    expect((await records.load(NOW)).entries).toHaveLength(1);
  });
});
