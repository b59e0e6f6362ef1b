import type { Context } from 'hono';
import { CompanionError } from '../../model/index.ts';
import { jsonLine } from '../../protocol/index.ts';
import type { Desk, Stream } from '../routes/index.ts';
import type { HttpCounters } from './guard.ts';
import type { Env } from './reply.ts';

/** Events kept for a reader that is slow; then they are dropped and counted, and `dropped` stands in their place. */
const MAX_QUEUE = 1_000;
/** Readers at a time: each costs a copy of every event. */
const MAX_READERS = 16;
/** A comment now and then: proxies and our own 30 s of silence end quiet connections. */
const BEAT_MS = 10_000;

/** The bounds that all streams of this door share. */
export interface EventDoor {
  readonly counters: HttpCounters;
  readers: number;
  /** Ends every stream: the server is closing. */
  readonly closing: AbortSignal;
}

const frame = (event: string, data: unknown): string => `event: ${event}\ndata: ${jsonLine(data)}\n\n`;

/** Answers with server-sent events until the reader goes. @throws CompanionError, ZodError */
export const serveEvents = (c: Context<Env>, stream: Stream, params: object, desk: Desk, door: EventDoor): Response => {
  if (door.readers >= MAX_READERS)
    throw new CompanionError('REQUEST_INVALID', `At most ${MAX_READERS} readers of events at a time. Close one.`);
  const encoder = new TextEncoder();
  let end = (): void => {};
  let dropped = 0;
  // Opened before the answer begins, so that wrong parameters are refused with a status.
  let send = (_event: object): void => {};
  const unsubscribe = stream.open(desk.operations, params, (event) => send(event));
  door.readers += 1;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const put = (text: string): void => controller.enqueue(encoder.encode(text));
        send = (event) => {
          if ((controller.desiredSize ?? 0) <= 1) {
            dropped += 1;
            door.counters.eventsDropped += 1;
            return;
          }
          if (dropped > 0) put(frame('dropped', { count: dropped }));
          dropped = 0;
          put(frame(stream.event, event));
        };
        const beat = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) put(': beat\n\n');
        }, BEAT_MS);
        const close = (): void => {
          end();
          controller.close();
        };
        door.closing.addEventListener('abort', close, { once: true });
        end = () => {
          end = () => {};
          clearInterval(beat);
          door.closing.removeEventListener('abort', close);
          unsubscribe();
          door.readers -= 1;
        };
        put(': companion\n\n');
      },
      cancel() {
        end();
      },
    },
    { highWaterMark: MAX_QUEUE },
  );
  return c.body(body, 200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
};
