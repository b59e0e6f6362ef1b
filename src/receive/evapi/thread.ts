/**
 * The thread that holds the connections to evapi. It does nothing but read, whatever the main thread is busy with: a
 * Kamailio whose evapi client does not read stops answering phones.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openLine } from './connection.ts';
import { SHARED } from './messages.ts';
import type { FromLine, LineOptions, ToLine } from './messages.ts';

/** Frames on their way to the main thread; what comes then is dropped and counted. At 9 KB each, 36 MB. */
const MAX_WAITING = 4_096;

const { nodes, shared } = workerData as LineOptions;
const counters = new Int32Array(shared);
let posted = 0;

const post = (message: FromLine): void => parentPort?.postMessage(message);

const lines = nodes.map(({ host, port }, node) =>
  openLine(host, port, {
    up: () => post({ kind: 'up', node }),
    down: (reason) => post({ kind: 'down', node, reason }),
    drop: (reason) => post({ kind: 'drop', reason }),
    frames(frames) {
      const waiting = (posted - Atomics.load(counters, SHARED.handled)) | 0;
      const taken = frames.slice(0, Math.max(0, MAX_WAITING - waiting));
      if (taken.length < frames.length) Atomics.add(counters, SHARED.dropped, frames.length - taken.length);
      if (taken.length === 0) return;
      posted = (posted + taken.length) | 0;
      // a frame is a view of the whole chunk, which would be copied with each of them
      const copies = taken.map((frame) => new Uint8Array(frame));
      parentPort?.postMessage(
        { kind: 'frames', frames: copies } satisfies FromLine,
        copies.map(({ buffer }) => buffer),
      );
    },
  }),
);

parentPort?.on('message', ({ node, bytes }: ToLine) => {
  lines[node]?.send(bytes);
});
