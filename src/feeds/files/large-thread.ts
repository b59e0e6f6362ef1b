/** Reads one long list in a thread of its own, so that no verdict waits for it. Lives for one list. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Intervals } from '../../enrich/index.ts';
import type { Threaded } from '../thread.ts';
import { readLarge } from './large.ts';
import type { Large } from './large.ts';

/** What the thread is started with: it writes into it. */
export type LargeTask = Uint8Array<ArrayBuffer>;

const run = (bytes: Uint8Array): Threaded<Large> => {
  try {
    return { done: readLarge(bytes) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};

const buffersOf = ({ words, lists, prefixes, tops }: Intervals): ArrayBuffer[] =>
  [...words, lists, prefixes, tops].map(({ buffer }) => buffer as ArrayBuffer);

const answer = run(workerData as LargeTask);
// handed over, not copied
parentPort?.postMessage(
  answer,
  'done' in answer ? [...buffersOf(answer.done.table.v4), ...buffersOf(answer.done.table.v6)] : [],
);
