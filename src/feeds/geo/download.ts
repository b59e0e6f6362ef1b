import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { openGeoDatabase } from '../../enrich/index.ts';
import type { GeoDatabase } from '../../enrich/index.ts';
import { createHttp, failureText, redirectOf } from '../http.ts';
import type { Agents } from '../outward.ts';

/** DB-IP's largest free database is 60 MB packed, 140 MB unpacked. Packed bytes can be made to unpack to anything. */
export interface DownloadBounds {
  readonly packedBytes: number;
  readonly bytes: number;
  readonly deadlineMs: number;
}

export const BOUNDS: DownloadBounds = {
  packedBytes: 256 * 1024 ** 2,
  bytes: 1024 ** 3,
  deadlineMs: 900_000,
};

const CHECKSUM_BYTES = 4_096;
const CHECKSUM_MS = 30_000;
const MAX_REDIRECTS = 3;
const MONTH_MS = 31 * 86_400_000;

/** There is no file at this URL (yet). */
class Missing extends Error {}

const bounded = (most: number, what: string): Transform => {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > most ? new Error(`${what} more than ${most} bytes`) : null, chunk);
    },
  });
};

/** Unpacks what begins like gzip (RFC 1952) and passes on anything else; gzip carries its own checksum and length. */
const unpacked = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    head = Buffer.concat([head, next.value]);
    if (head.length >= 2) break;
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  };
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole();
    return;
  }
  const gunzip = createGunzip();
  const feeding = pipeline(whole(), gunzip);
  // an error of the source comes out of gunzip as well
  feeding.catch(() => undefined);
  yield* gunzip as AsyncIterable<Buffer>;
  await feeding;
};

const ask = async (agents: Agents, url: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
  let agent = agents.configured;
  let at = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await request(at, { dispatcher: agent, headers: { 'user-agent': 'companion' }, signal });
    const next = redirectOf(at, answer);
    if (next === undefined) return answer;
    await answer.body.dump({ limit: 65_536 });
    if (hop === 0) agent = await agents.redirectedFrom(url);
    at = next;
  }
  throw new Error(`it redirects more than ${MAX_REDIRECTS} times`);
};

/** `{yyyy}`, `{mm}`, `{dd}` of a moment, in UTC. */
const dated = (url: string, at: number): string => {
  const [yyyy = '', mm = '', dd = ''] = new Date(at).toISOString().slice(0, 10).split('-');
  return url.replaceAll('{yyyy}', yyyy).replaceAll('{mm}', mm).replaceAll('{dd}', dd);
};

/** The file of this month, and that of the last one while this one is not out yet. */
const candidates = (url: string, now: number): string[] => [...new Set([dated(url, now), dated(url, now - MONTH_MS)])];

/** What was asked for first, for whoever reads that it failed. */
export const triedUrl = (url: string, now: number): string => dated(url, now);

export interface Wanted {
  readonly url: string;
  readonly sha256?: string | undefined;
}

export interface Fetched {
  readonly url: string;
  readonly same: boolean;
  readonly database: GeoDatabase;
}

const expectedSum = async (agents: Agents, sum: string, from: string): Promise<string> => {
  if (/^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  const { status, body } = await createHttp(agents)(sum, { deadlineMs: CHECKSUM_MS, maxBytes: CHECKSUM_BYTES });
  const found = /\b[0-9a-f]{64}\b/i.exec(body.toString('latin1'))?.[0];
  if (status !== 200 || found === undefined) throw new Error(`the checksum of ${from} cannot be fetched`);
  return found.toLowerCase();
};

/** Fetches into `file` beside; @returns SHA-256 of what came */
const save = async (agents: Agents, url: string, file: string, bounds: DownloadBounds): Promise<string> => {
  const signal = AbortSignal.timeout(bounds.deadlineMs);
  const answer = await ask(agents, url, signal);
  if (answer.statusCode !== 200) {
    await answer.body.dump({ limit: 65_536 });
    const why = `the server answered ${answer.statusCode}`;
    throw answer.statusCode === 404 ? new Missing(why) : new Error(why);
  }
  const sum = createHash('sha256');
  const counted = bounded(bounds.packedBytes, 'it has');
  counted.on('data', (chunk: Buffer) => void sum.update(chunk));
  await pipeline(
    answer.body,
    counted,
    unpacked,
    bounded(bounds.bytes, 'it unpacks to'),
    createWriteStream(file, { mode: 0o644 }),
    { signal },
  );
  return sum.digest('hex');
};

const readOrNothing = async (file: string): Promise<Buffer | undefined> => {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
};

/**
 * Fetches a database, looks it through, and only then puts it in the place of the old one, in one step.
 * Rejects with an Error that says what went wrong; the old file is untouched then.
 */
export const download = async (
  agents: Agents,
  wanted: Wanted,
  file: string,
  now: number,
  bounds: DownloadBounds = BOUNDS,
): Promise<Fetched> => {
  const beside = `${file}.new`;
  const urls = candidates(wanted.url, now);
  try {
    for (const [index, url] of urls.entries()) {
      try {
        const sum = await save(agents, url, beside, bounds);
        if (
          wanted.sha256 !== undefined &&
          (await expectedSum(agents, dated(wanted.sha256, now - index * MONTH_MS), url)) !== sum
        )
          throw new Error('its checksum is wrong: it was damaged on the way, or is not what was promised');
        const bytes = await readFile(beside);
        const database = openGeoDatabase(bytes, url);
        const same = (await readOrNothing(file))?.equals(bytes) === true;
        if (same) return { url, same, database };
        const handle = await open(beside, 'r+');
        await handle.sync();
        await handle.close();
        await rename(beside, file);
        return { url, same, database };
      } catch (error) {
        if (!(error instanceof Missing) || index === urls.length - 1) throw error;
      }
    }
    throw new Error('there is nothing to fetch');
  } catch (error) {
    throw new Error(failureText(error), { cause: error });
  } finally {
    await rm(beside, { force: true });
  }
};
