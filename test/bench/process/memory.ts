import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { round, short } from '../report.ts';
import type { Row } from '../report.ts';

const CHILD = fileURLToPath(new URL('memory-child.ts', import.meta.url));
/** The service's own: `#!/usr/bin/env -S node --flag …`. */
const flagsOfMain = (): string[] => {
  const [first = ''] = readFileSync(new URL('../../../src/main.ts', import.meta.url), 'utf8').split('\n', 1);
  return first.split(' ').filter((word) => word.startsWith('--'));
};

const SOURCES = 1_000_000;
const AIM_MB = 400;
const DEADLINE_MS = 120_000;

interface Measured {
  readonly tables: Readonly<Record<string, { readonly size: number }>>;
  readonly rss: number;
  readonly rssBefore: number;
  readonly heap: number;
  readonly heapBefore: number;
  readonly buffers: number;
  readonly peak: number;
}

/** A process of its own that has seen a million sources. */
export const measureMemory = async (): Promise<Row[]> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flagsOfMain(), '--expose-gc', CHILD, String(SOURCES)],
    { timeout: DEADLINE_MS },
  );
  const measured = JSON.parse(stdout) as Measured;
  const mb = (bytes: number): number => round(bytes / 1e6, 0);
  const tracked = Math.min(
    ...['enumeration.sources', 'density.sources', 'method-bucket.sources'].map((name) => measured.tables[name]!.size),
  );
  const live = measured.heap - measured.heapBefore + measured.buffers;
  return [
    {
      what: `memory at ${short(tracked)} tracked sources`,
      measured: `${mb(measured.rss)} MB resident`,
      beside: `${mb(measured.rssBefore)} MB before the first; tables ${mb(live)} MB at full length, ${round(live / tracked, 0)} bytes a source; peak ${mb(measured.peak)} MB`,
      aim: `≤ ${AIM_MB} MB`,
      met: mb(measured.rss) <= AIM_MB,
      figures: {
        rssMb: mb(measured.rss),
        beforeMb: mb(measured.rssBefore),
        liveMb: mb(live),
        bytesPerSource: round(live / tracked, 0),
        tracked,
      },
    },
  ];
};
