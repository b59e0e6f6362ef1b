import { Worker } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { withDeadline } from '../system/index.ts';

const DEADLINE_MS = 120_000;
/** A million lines with their protection; more is a list gone wrong. */
const MAX_HEAP_MB = 1_024;

/** What a thread answers. */
export type Threaded<T> = { readonly done: T } | { readonly problem: string };

/** Runs a module in a thread of its own, which answers once. Rejects with an Error in a few words. */
export const inThread = async <T>(
  module: URL,
  workerData: unknown,
  transferList: TransferListItem[] = [],
): Promise<T> => {
  const worker = new Worker(module, {
    workerData,
    transferList,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  worker.unref();
  try {
    const answer = new Promise<Threaded<T>>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('its thread ended')));
    });
    const result = await withDeadline(answer, DEADLINE_MS, () => new Error('it takes too long to read'));
    if ('problem' in result) throw new Error(result.problem);
    return result.done;
  } finally {
    await worker.terminate();
  }
};
