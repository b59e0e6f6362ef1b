import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { EVAPI_FRAME_BYTES, MAX_HOOK_FRAME_BYTES, createNetstringSplitter } from '../../protocol/index.ts';

const CONNECT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 500;

/**
 * What may wait here for a server that does not read: 200 frames, as many as it has asks in flight. They go out in one
 * write, and one that is larger than its buffer (32 KB) can end within a frame, which loses all that follow.
 */
const MAX_UNSENT_BYTES = 200 * EVAPI_FRAME_BYTES;

export interface LineEvents {
  up(): void;
  frames(frames: readonly Buffer[]): void;
  /** It ended or could not be opened; it is tried again by itself. */
  down(reason: string): void;
  drop(reason: string): void;
}

export interface Line {
  send(bytes: Uint8Array): void;
}

/** One connection to a server's evapi, opened again for as long as the thread lives. Always reads. */
export const openLine = (host: string, port: number, events: LineEvents): Line => {
  let socket: Socket | undefined;
  let retryMs = FIRST_RETRY_MS;

  const open = (): void => {
    const splitter = createNetstringSplitter(MAX_HOOK_FRAME_BYTES);
    const opening = connect({ host, port, noDelay: true });
    let reason = 'evapi-refused';
    opening.setTimeout(CONNECT_MS, () => {
      opening.destroy();
    });
    opening.once('connect', () => {
      opening.setTimeout(0);
      retryMs = FIRST_RETRY_MS;
      reason = 'evapi-closed';
      socket = opening;
      events.up();
    });
    opening.on('data', (chunk) => {
      const { frames, fault } = splitter.push(chunk);
      if (frames.length > 0) events.frames(frames);
      if (fault === undefined) return;
      reason = `netstring-${fault}`;
      opening.destroy();
    });
    opening.on('error', () => {
      opening.destroy();
    });
    opening.once('close', () => {
      socket = undefined;
      events.down(reason);
      setTimeout(open, retryMs);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    });
  };
  open();

  return {
    send(bytes) {
      if (socket === undefined) events.drop('evapi-not-connected');
      else if (socket.writableLength >= MAX_UNSENT_BYTES) events.drop('evapi-not-read');
      else socket.write(bytes);
    },
  };
};
