import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { companionSchema } from '../../../src/judging/index.ts';
import { rehearse } from '../../../src/rehearse/index.ts';
import { round, short } from '../report.ts';
import type { Row } from '../report.ts';
import { writeCapture } from './capture.ts';

const MESSAGES = 1_000_000;
const AIM = 100_000;

/** How fast a capture is replayed, from the file to the rows. */
export const measureReplay = (): Row[] => {
  const folder = mkdtempSync(join(tmpdir(), 'companion-replay-'));
  try {
    const file = join(folder, 'capture.pcap');
    const bytes = writeCapture(file, MESSAGES);
    const began = performance.now();
    const used = process.cpuUsage();
    const { results, drops } = rehearse({ files: [file], policies: [companionSchema.parse({})] });
    const seconds = (performance.now() - began) / 1_000;
    const { messages, outcomes, sources, flagged } = results[0]!.totals;
    const { user, system } = process.cpuUsage(used);
    const cpu = (user + system) / 1e6;
    const speed = MESSAGES / seconds;
    if (Object.keys(drops).length > 0 || messages !== MESSAGES / 2)
      throw new Error(`the capture was not read as it was written: ${JSON.stringify({ drops, messages })}`);
    return [
      {
        what: 'replay of a capture, messages a second',
        measured: `${short(speed)} (${round(seconds, 1)} s, ${round(cpu, 1)} s of CPU)`,
        beside: `${short(MESSAGES)} messages, ${round(bytes / 1e6, 0)} MB pcap, ${short(sources)} sources, ${short(outcomes)} outcomes, ${flagged} flagged`,
        aim: `≥ ${short(AIM)}`,
        met: speed >= AIM,
        figures: { speed: round(speed, 0), seconds: round(seconds), cpu: round(cpu), flagged, outcomes },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
