import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { round, short } from '../report.ts';
import type { Row } from '../report.ts';

const CHILD = fileURLToPath(new URL('lists-child.ts', import.meta.url));
const ENTRIES = 1_000_000;
const AIM = { loadMs: 2_000, lookupNs: 1_000, mb: 300 };
const DEADLINE_MS = 120_000;

type Measured = Readonly<
  Record<
    'size' | 'loadMs' | 'lookup' | 'share' | 'before' | 'peak' | 'after' | 'peerLoadMs' | 'peerLookup' | 'peerMemory',
    number
  >
>;

/** A process of its own with a million networks, beside node's own list of them. */
export const measureLists = async (): Promise<Row[]> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, String(ENTRIES)], {
    timeout: DEADLINE_MS,
  });
  const measured = JSON.parse(stdout) as Measured;
  const mb = (bytes: number): number => round(bytes / 1e6, 0);
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
  ];
};
