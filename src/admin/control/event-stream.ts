import type { Socket } from 'node:net';
import type { Operations } from '../../model/index.ts';
import { encodeNotification } from '../../protocol/index.ts';
import type { Stream } from '../routes/index.ts';
import type { ControlCounters } from './control-stats.ts';

/** Events kept for a watcher that reads slowly. An attack makes thousands a second; the newest are dropped. */
export const MAX_WATCH_QUEUE = 1_000;

/**
 * Sends every event of the stream as a notification until the returned function is called. A watcher that does not
 * read gets what fits into the queue, and then `dropped {count}` in the place of what it missed: it never slows down
 * or grows the service.
 */
export const startStream = (
  stream: Stream,
  operations: Operations,
  params: unknown,
  socket: Socket,
  counters: ControlCounters,
): (() => void) => {
  const queue: object[] = [];
  let dropped = 0;
  let blocked = socket.writableNeedDrain;

  const send = (event: object): void => {
    blocked = !socket.write(encodeNotification(stream.event, event));
  };
  const flush = (): void => {
    blocked = false;
    while (!blocked) {
      const event = queue.shift();
      if (event === undefined) break;
      send(event);
    }
    if (!blocked && dropped > 0) {
      const count = dropped;
      dropped = 0;
      blocked = !socket.write(encodeNotification('dropped', { count }));
    }
  };
  const stop = stream.open(operations, params, (event) => {
    if (!blocked && !socket.writableNeedDrain) {
      send(event);
      return;
    }
    blocked = true;
    // After a drop nothing is queued until the gap is reported, so that `dropped` stands where the gap is.
    if (queue.length < MAX_WATCH_QUEUE && dropped === 0) {
      queue.push(event);
      return;
    }
    dropped += 1;
    counters.watchDropped += 1;
  });
  socket.on('drain', flush);
  return () => {
    socket.off('drain', flush);
    stop();
  };
};
