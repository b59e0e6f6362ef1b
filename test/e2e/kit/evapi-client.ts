import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Lab } from '../../../src/lab/index.ts';
import { createNetstringSplitter, encodeHeartbeat, toEvapi } from '../../../src/protocol/index.ts';
import { lineOf } from './door.ts';
import { kill } from './reconfigure.ts';

/** Where a lab's Kamailio listens with evapi. */
export const evapiPort = (lab: Lab): number =>
  Number(/COMPANION_EVAPI_BIND "[^"]*:(\d+)"/.exec(readFileSync(join(lab.directory, 'lab.cfg'), 'utf8'))![1]);

/** A bare evapi client, at Kamailio's side of companion. */
export interface EvapiClient {
  /** Frames that came, up to the first fault. */
  readonly frames: string[];
  bytesIn(): number;
  readonly ended: boolean;
  write(bytes: Buffer): void;
  /** Says who it is, now and every 100 ms. */
  authenticate(): void;
  /** No reading any more. */
  pause(): void;
  resume(): void;
  close(): void;
}

export const openEvapi = async (lab: Lab, port = evapiPort(lab), from = '127.0.0.1'): Promise<EvapiClient> => {
  const { down } = lineOf(lab);
  const socket = connect({ host: '127.0.0.1', port, localAddress: from, noDelay: true });
  await once(socket, 'connect', { signal: AbortSignal.timeout(5_000) });
  const splitter = createNetstringSplitter(32_000);
  const frames: string[] = [];
  let bytes = 0;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    frames.push(...splitter.push(chunk).frames.map((frame) => frame.toString('latin1')));
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
  });
  const beat = (): void => {
    if (!ended) socket.write(toEvapi(encodeHeartbeat(down, Date.now())));
  };
  return {
    frames,
    bytesIn: () => bytes,
    get ended() {
      return ended;
    },
    write: (data) => socket.write(data),
    authenticate() {
      beat();
      timer = setInterval(beat, 100);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close() {
      clearInterval(timer);
      socket.destroy();
    },
  };
};

/** Kamailio starts again with other defines; unlike `reconfigure` it does not wait for companion. */
export const restartWith = async (lab: Lab, change: (text: string) => string): Promise<void> => {
  const file = join(lab.directory, 'lab.cfg');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  await kill(lab, 'kamailio');
};
