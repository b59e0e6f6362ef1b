import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGeoDesk } from '../../../../src/feeds/index.ts';
import type { GeoDesk } from '../../../../src/feeds/index.ts';
import { download } from '../../../../src/feeds/geo/download.ts';
import { createAgents } from '../../../../src/feeds/outward.ts';
import { fakeServer } from '../fake-server.ts';
import type { FakeServer } from '../fake-server.ts';
import { country, encodeMmdb } from '../mmdb.ts';

const NOW = Date.UTC(2026, 10, 2);
const database = (iso: string, builtAt = NOW - 86_400_000): Buffer =>
  encodeMmdb({ type: 'Test-Country', builtAt, entries: [['203.0.113.0/24', country(iso)]] });

let directory: string;
let server: FakeServer;
let desk: GeoDesk | undefined;
let said: string[];
let changes: number;
const clock = { at: NOW, now: (): number => clock.at };

const open = async (part: { url?: string; sha256?: string; files?: string[]; everyMs?: number } = {}) => {
  desk = await createGeoDesk({
    files: part.files ?? [],
    download: [{ url: part.url ?? `${server.url}/free/country-{yyyy}-{mm}.mmdb.gz`, sha256: part.sha256 }],
    directory,
    everyMs: part.everyMs ?? 'never',
    maxAgeMs: 45 * 86_400_000,
    clock,
    alarm: (name, problem) => void (problem !== undefined && said.push(`${name}: ${problem}`)),
    changed: () => (changes += 1),
  });
  return desk;
};
const updated = async (one: GeoDesk) => {
  one.update();
  await one.settled();
  return one.report();
};

beforeEach(async () => {
  clock.at = NOW;
  said = [];
  changes = 0;
  directory = mkdtempSync(join(tmpdir(), 'geo-'));
  server = await fakeServer(() => ({ status: 404 }));
});
afterEach(async () => {
  await desk?.stop();
  desk = undefined;
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('geo update', () => {
  test('fetches, unpacks, looks through and uses the database of this month', async () => {
    server.answer = () => ({ body: gzipSync(database('DE')) });
    const one = await open();
    expect(one.databases()).toEqual([]);
    const report = await updated(one);
    expect(server.asked[0]?.path).toBe('/free/country-2026-11.mmdb.gz');
    expect(report.update.files).toEqual([
      {
        url: `${server.url}/free/country-2026-11.mmdb.gz`,
        outcome: 'updated',
        message: 'Test-Country, built 2026-11-01',
      },
    ]);
    expect(one.databases()[0]?.of('203.0.113.7')).toEqual({ country: 'DE' });
    expect(readdirSync(directory)).toEqual(['country.mmdb']);
    expect(report.ageMs).toBe(86_400_000);
    expect(changes).toBe(1);
    expect((await updated(one)).update.files[0]?.outcome).toBe('same');
    expect(changes).toBe(1);
  });

  test('takes last month while this one is not out yet', async () => {
    server.answer = ({ path }) => (path.includes('2026-10') ? { body: database('DE') } : { status: 404 });
    const report = await updated(await open());
    expect(report.update.files[0]).toMatchObject({ outcome: 'updated', url: expect.stringContaining('2026-10') });
  });

  test('a checksum, by itself or from a file of the server', async () => {
    const packed = gzipSync(database('DE'));
    const sum = createHash('sha256').update(packed).digest('hex');
    server.answer = ({ path }) => ({ body: path.endsWith('.sha256') ? `${sum}  country.mmdb.gz\n` : packed });
    const one = await open({ sha256: `${server.url}/c-{yyyy}.sha256` });
    expect((await updated(one)).update.files[0]?.outcome).toBe('updated');
    await one.stop();
    const other = await open({ sha256: 'ab'.repeat(32) });
    const report = await updated(other);
    expect(report.update.files[0]).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('checksum is wrong'),
    });
    expect(other.databases()[0]?.of('203.0.113.7')).toEqual({ country: 'DE' });
  });

  test.each([
    ['an error of the server', () => ({ status: 500 }), /answered 500/],
    ['nothing there', () => ({ status: 404 }), /answered 404/],
    ['a page instead of a database', () => ({ body: '<html>quota</html>' }), /not a usable \.mmdb database/],
    ['a broken archive', () => ({ body: gzipSync(database('RU')).subarray(0, 100) }), /unexpected end|premature/i],
    [
      'a wrong archive',
      () => ({ body: Buffer.concat([gzipSync(database('RU')).subarray(0, -8), Buffer.alloc(8)]) }),
      /incorrect/,
    ],
    ['a database that was cut off', () => ({ body: database('RU').subarray(0, 900) }), /not a usable/],
    [
      'a connection that breaks',
      () => ({ body: database('RU'), breaks: true }),
      /broke|terminated|other side|aborted/i,
    ],
    [
      'a redirect to nowhere',
      () => ({ status: 302, headers: { location: 'file:///etc/passwd' } }),
      /redirects to nowhere/,
    ],
    ['endless redirects', () => ({ status: 302, headers: { location: '/again' } }), /more than 3 times/],
  ] as const)('%s changes nothing', async (_, answer, message) => {
    server.answer = () => ({ body: database('DE') });
    const one = await open();
    await updated(one);
    server.answer = answer;
    const report = await updated(one);
    expect(report.update.files[0]).toMatchObject({
      outcome: 'failed',
      // what was asked for, not its template
      url: `${server.url}/free/country-2026-11.mmdb.gz`,
      message: expect.stringMatching(message),
    });
    expect(one.databases()[0]?.of('203.0.113.7')).toEqual({ country: 'DE' });
    expect(readdirSync(directory)).toEqual(['country.mmdb']);
    expect(one.stats()['update_failures']).toBe(1);
  });

  test('what is packed too large, or unpacks to too much, is refused while it comes', async () => {
    const agents = createAgents();
    const file = join(directory, 'x.mmdb');
    server.answer = () => ({ body: gzipSync(Buffer.alloc(4_000_000)) });
    const bounds = { packedBytes: 1_000_000, bytes: 1_000_000, deadlineMs: 5_000 };
    await expect(download(agents, { url: `${server.url}/x` }, file, NOW, bounds)).rejects.toThrow(
      'unpacks to more than 1000000',
    );
    server.answer = () => ({ body: Buffer.alloc(2_000_000, 1) });
    await expect(download(agents, { url: `${server.url}/x` }, file, NOW, bounds)).rejects.toThrow('more than 1000000');
    server.answer = () => ({ hangs: true });
    await expect(
      download(agents, { url: `${server.url}/x` }, file, NOW, { ...bounds, deadlineMs: 100 }),
    ).rejects.toThrow('no answer within the deadline');
    expect(readdirSync(directory)).toEqual([]);
    await agents.destroy();
  });

  test('by itself: an update that failed is told in the status', async () => {
    const one = await open({ url: 'http://127.86.0.1:1/x.mmdb' });
    const report = await updated(one);
    expect(report.update.files[0]).toMatchObject({ outcome: 'failed', message: 'connection refused' });
    expect(report.databases).toEqual([]);
  });
});

describe('files of the operator', () => {
  test('a damaged one is told by name, and one that is not there', async () => {
    const file = join(directory, 'mine.mmdb');
    writeFileSync(file, 'not a database');
    const one = await open({ files: [file, join(directory, 'gone.mmdb')] });
    expect(one.report().databases.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('mine.mmdb is not a usable .mmdb database'),
      'the file is not there',
    ]);
    expect(said).toHaveLength(2);
    expect(one.stats()).toEqual({ databases: 0, problems: 2, update_failures: 0 });
  });

  test('an old database is an alarm', async () => {
    const file = join(directory, 'mine.mmdb');
    writeFileSync(file, database('DE', NOW - 60 * 86_400_000));
    const one = await open({ files: [file] });
    expect(said.join()).toContain('the oldest database was built 60d ago');
    expect(one.stats()).toMatchObject({ age_seconds: 60 * 86_400, databases: 1, problems: 0 });
    expect(readFileSync(file).length).toBeGreaterThan(0);
  });
});
