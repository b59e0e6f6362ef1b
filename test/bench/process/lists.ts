import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { round, short } from '../report.ts';
import type { Row } from '../report.ts';
import { denyLines } from './deny-lines.ts';

const CHILD = fileURLToPath(new URL('lists-child.ts', import.meta.url));
const FILE_CHILD = fileURLToPath(new URL('list-file-child.ts', import.meta.url));
const ENTRIES = 1_000_000;
const AIM = { loadMs: 2_000, lookupNs: 1_000, mb: 300 };
const DEADLINE_MS = 120_000;

type Measured = Readonly<
  Record<
    'size' | 'loadMs' | 'lookup' | 'share' | 'before' | 'peak' | 'after' | 'peerLoadMs' | 'peerLookup' | 'peerMemory',
    number
  >
>;

type FileMeasured = Readonly<
  Record<'size' | 'loadMs' | 'stallMs' | 'lookup' | 'share' | 'before' | 'peak' | 'after', number>
>;

const mb = (bytes: number): number => round(bytes / 1e6, 0);

const inChild = async (child: string, argument: string): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', child, argument], {
    timeout: DEADLINE_MS,
  });
  return JSON.parse(stdout) as unknown;
};

/** A million networks in a file of `lists:`, followed as the service does: the file, the thread, the operator's lists. */
const measureFile = async (): Promise<Row> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-lists-'));
  try {
    const file = join(folder, 'deny');
    writeFileSync(file, denyLines(ENTRIES).join('\n'));
    const { size, loadMs, stallMs, lookup, share, before, peak, after } = (await inChild(
      FILE_CHILD,
      file,
    )) as FileMeasured;
    return {
      what: `${short(size)} deny entries in a file of \`lists:\`: read and in force; one address against the lists; memory`,
      measured: `${round(loadMs / 1_000)} s; ${round(lookup, 0)} ns; ${mb(after - before)} MB, ${mb(peak - before)} MB while reading`,
      beside: `verdicts wait for it ${round(stallMs, 0)} ms at most; ${round(share * 100, 0)} % of the addresses are denied`,
      aim: `≤ ${AIM.loadMs / 1_000} s, ≤ ${AIM.lookupNs / 1_000} µs, ≤ ${AIM.mb} MB`,
      met: loadMs <= AIM.loadMs && lookup <= AIM.lookupNs && mb(peak - before) <= AIM.mb,
      figures: {
        loadMs: round(loadMs, 0),
        ns: round(lookup, 0),
        mb: mb(after - before),
        loadingMb: mb(peak - before),
        stallMs: round(stallMs, 0),
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A process of its own with a million networks, beside node's own list of them; then the same as a file. */
export const measureLists = async (): Promise<Row[]> => {
  const measured = (await inChild(CHILD, String(ENTRIES))) as Measured;
  const what = `${short(measured.size)} deny entries (mixed CIDR)`;
  return [
    {
      what: `${what}: loading the text`,
      measured: `${round(measured.loadMs / 1_000)} s`,
      beside: `net.BlockList, entry by entry ${round(measured.peerLoadMs / 1_000)} s`,
      aim: `≤ ${AIM.loadMs / 1_000} s`,
      met: measured.loadMs <= AIM.loadMs,
      figures: { loadMs: round(measured.loadMs, 0), peerLoadMs: round(measured.peerLoadMs, 0) },
    },
    {
      what: `${what}: one lookup`,
      measured: `${round(measured.lookup, 0)} ns`,
      beside: `net.BlockList ${round(measured.peerLookup, 0)} ns; ${round(measured.share * 100, 0)} % of the addresses are denied`,
      aim: `≤ ${AIM.lookupNs / 1_000} µs`,
      met: measured.lookup <= AIM.lookupNs,
      figures: { ns: round(measured.lookup, 0), peerNs: round(measured.peerLookup, 0) },
    },
    {
      what: `${what}: memory`,
      measured: `${mb(measured.after - measured.before)} MB`,
      beside: `net.BlockList ${mb(measured.peerMemory)} MB; while loading ours ${mb(measured.peak - measured.before)} MB`,
      aim: `≤ ${AIM.mb} MB`,
      met: mb(measured.peak - measured.before) <= AIM.mb,
      figures: {
        mb: mb(measured.after - measured.before),
        loadingMb: mb(measured.peak - measured.before),
        peerMb: mb(measured.peerMemory),
      },
    },
    await measureFile(),
  ];
};
