import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../../model/index.ts';
import type { Clock, EpochMs, GeoReport, GeoUpdateRow } from '../../model/index.ts';
import type { GeoDatabase } from '../../enrich/index.ts';
import { createAgents } from '../outward.ts';
import { download, triedUrl } from './download.ts';
import type { Wanted } from './download.ts';
import { createGeoFiles } from './files.ts';

/** Whoever replaces a file (geoipupdate, a package) is noticed within this time. */
const LOOK_MS = 60_000;
/** After a failed update by itself. */
const RETRY_MS = 3_600_000;

export interface GeoDeskParts {
  readonly files: readonly string[];
  readonly download: readonly Wanted[];
  /** Where fetched databases are kept. */
  readonly directory: string;
  readonly everyMs: number | 'never';
  readonly maxAgeMs: number;
  readonly clock: Clock;
  /** An operator has to know; undefined: it is well again. */
  readonly alarm: (name: string, problem: string | undefined) => void;
  /** Other databases are in use now. */
  readonly changed: () => void;
}

export interface GeoDesk {
  databases(): readonly GeoDatabase[];
  report(): GeoReport;
  /** Starts to fetch, unless that goes on already; never waits for it. */
  update(): GeoReport;
  /** Ends when the update that runs has ended. */
  settled(): Promise<void>;
  stats(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** `…/dbip-country-lite-{yyyy}-{mm}.mmdb.gz` → `dbip-country-lite.mmdb`: the same file each month. Ours, from the configuration. */
const fileName = (url: string): string => {
  const last = new URL(url.replaceAll(/[._-]?\{(?:yyyy|mm|dd)\}/g, '')).pathname.split('/').at(-1) ?? '';
  const plain = last.replace(/\.gz$/, '').replace(/\.mmdb$/, '');
  return `${plain.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 80) || 'database'}.mmdb`;
};

/** Databases in use, their files, and the fetching of new ones. */
export const createGeoDesk = async (parts: GeoDeskParts): Promise<GeoDesk> => {
  const { clock, alarm, directory } = parts;
  const agents = createAgents();
  const targets = parts.download.map((wanted) => ({ wanted, file: join(directory, fileName(wanted.url)) }));
  const fetched = new Set(targets.map(({ file }) => file));
  const files = createGeoFiles([...new Set([...parts.files, ...fetched])], fetched, (file, problem) =>
    alarm(`geo ${file}`, problem === undefined ? undefined : `${problem}; what was known before goes on`),
  );
  let running: Promise<void> | undefined;
  let startedAt: EpochMs | null = null;
  let endedAt: EpochMs | null = null;
  let rows: readonly GeoUpdateRow[] = [];
  let failures = 0;

  const ageMs = (): number | null => {
    const ages = files.databases.map(({ builtAt }) => clock.now() - builtAt);
    return ages.length === 0 ? null : Math.max(0, ...ages);
  };

  const look = async (): Promise<void> => {
    if (await files.look()) parts.changed();
    const age = ageMs() ?? 0;
    alarm(
      'geo age',
      age > parts.maxAgeMs
        ? `the oldest database was built ${formatDuration(age)} ago: 'companion geo update' fetches new ones`
        : undefined,
    );
  };

  const fetchAll = async (): Promise<void> => {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const done: GeoUpdateRow[] = [];
    for (const { wanted, file } of targets) {
      try {
        const { url, same, database } = await download(agents, wanted, file, clock.now());
        const built = new Date(database.builtAt).toISOString().slice(0, 10);
        done.push({ url, outcome: same ? 'same' : 'updated', message: `${database.type}, built ${built}` });
      } catch (error) {
        failures += 1;
        const message = error instanceof Error ? error.message : String(error);
        done.push({ url: triedUrl(wanted.url, clock.now()), outcome: 'failed', message });
      }
      rows = [...done];
      const failed = done.filter(({ outcome }) => outcome === 'failed').map(({ url, message }) => `${url}: ${message}`);
      alarm('geo update', failed.length === 0 ? undefined : `${failed.join('; ')}; what was known before goes on`);
      await look();
    }
  };

  const report = (): GeoReport => ({
    databases: files.rows(),
    ageMs: ageMs(),
    update: { running: running !== undefined, startedAt, endedAt, files: rows },
  });

  const update = (): GeoReport => {
    if (running === undefined) {
      startedAt = clock.now();
      rows = [];
      running = fetchAll()
        .catch((error: unknown) => alarm('geo update', `failed: ${String(error)}`))
        .finally(() => {
          endedAt = clock.now();
          running = undefined;
        });
    }
    return report();
  };

  const dueMs = (): number => {
    if (parts.everyMs === 'never') return Infinity;
    if (endedAt !== null && rows.some(({ outcome }) => outcome === 'failed')) return endedAt + RETRY_MS;
    return Math.max(endedAt ?? 0, clock.now() - (ageMs() ?? Infinity)) + parts.everyMs;
  };

  await look();
  const timer = setInterval(() => {
    if (running === undefined && clock.now() >= dueMs()) update();
    else void look();
  }, LOOK_MS);
  timer.unref();

  return {
    databases: () => files.databases,
    report,
    update,
    settled: async () => running,
    stats() {
      const age = ageMs();
      return {
        databases: files.databases.length,
        problems: files.rows().filter(({ problem }) => problem !== '').length,
        update_failures: failures,
        // without a database there is no age, and 0 would look fresh
        ...(age === null ? {} : { age_seconds: Math.floor(age / 1_000) }),
      };
    },
    async stop() {
      clearInterval(timer);
      await agents.destroy();
      await running;
    },
  };
};
