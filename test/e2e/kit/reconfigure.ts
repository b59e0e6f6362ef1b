import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../../src/lab/index.ts';
import type { StatusReport } from '../../../src/model/index.ts';
import { operate, until } from './companion.ts';

/** Ends a program of a lab, and waits until the lab has it running again. */
export const kill = async (lab: Lab, program: 'kamailio' | 'companion'): Promise<void> => {
  const back = new Promise<void>((resolve) => {
    const off = lab.onRestart((name) => {
      if (name !== program) return;
      off();
      resolve();
    });
  });
  process.kill(lab.pids()[program], 'SIGKILL');
  await back;
};

/** Kamailio starts again with other defines; companion stays, and has found it when this resolves. */
export const reconfigure = async (lab: Lab, change: (text: string) => string): Promise<void> => {
  const file = join(lab.directory, 'lab.cfg');
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error('The change of lab.cfg changed nothing.');
  writeFileSync(file, after);
  await kill(lab, 'kamailio');
  await until('companion has found it', async () => {
    const status = await operate<StatusReport>(lab, 'status').catch(() => undefined);
    return status?.nodes[0]?.state === 'connected';
  });
};

/** A line that defines something, for `reconfigure`. */
export const defining =
  (words: string) =>
  (text: string): string =>
    text.replace('#!define COMPANION_NODE', `#!define ${words}\n$&`);

/** Companion starts again with other settings, and has found its Kamailio when this resolves. */
export const resettle = async (lab: Lab, change: (yaml: string) => string): Promise<void> => {
  writeFileSync(lab.ready.config, change(readFileSync(lab.ready.config, 'utf8')));
  await kill(lab, 'companion');
  await until('it knows its Kamailio again', async () => {
    const status = await operate<StatusReport>(lab, 'status').catch(() => undefined);
    return status?.nodes[0]?.version !== undefined && status.nodes[0].version !== '';
  });
};
