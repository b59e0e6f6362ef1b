/** Sifts one long list in a thread of its own, so that no verdict waits for it. Lives for one list. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Threaded } from '../thread.ts';
import { sift } from './sift.ts';
import type { Sifted } from './sift.ts';

/** What the thread is started with. */
export interface SiftTask {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `subject TAB what` a line: one text is handed over in a moment, a hundred thousand objects are not. */
  readonly subjects: string;
}

const run = ({ name, bytes, subjects }: SiftTask): Threaded<Sifted> => {
  try {
    const rows = subjects === '' ? [] : subjects.split('\n').map((line) => line.split('\t', 2));
    return {
      done: sift(
        name,
        bytes,
        rows.map(([subject = '', what = '']) => ({ subject, what })),
      ),
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.postMessage(run(workerData as SiftTask));
