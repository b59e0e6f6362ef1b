/** Sifts one long list in a thread of its own, so that no verdict waits for it. Lives for one list. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Protected } from './protection.ts';
import { sift } from './sift.ts';
import type { Sifted } from './sift.ts';

/** What the thread is started with. */
export interface SiftTask {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly subjects: readonly Protected[];
}

export type SiftResult = { readonly sifted: Sifted } | { readonly problem: string };

const run = ({ name, bytes, subjects }: SiftTask): SiftResult => {
  try {
    return { sifted: sift(name, bytes, subjects) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.postMessage(run(workerData as SiftTask));
