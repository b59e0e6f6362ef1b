import type { Socket } from 'node:net';
import { once } from 'node:events';
import { CompanionError } from '../../model/index.ts';
import {
  MAX_LINE_BYTES,
  RPC_CODES,
  createLineSplitter,
  encodeError,
  encodeSuccess,
  parseRpc,
} from '../../protocol/index.ts';
import type { RpcId } from '../../protocol/index.ts';
import type { ControlCounters } from './control-stats.ts';
import { failureOf, withDeadline } from '../failure.ts';
import { createPager } from './paging.ts';
import { ROUTES, STREAMS } from '../routes/index.ts';
import type { Desk, Route } from '../routes/index.ts';
import { startStream } from './event-stream.ts';

/** Below the client's 5 s, so that the reason for a late answer still reaches it. */
const ANSWER_DEADLINE_MS = 4_000;

const BY_METHOD: ReadonlyMap<string, Route> = new Map(ROUTES.map((route) => [route.method, route]));
const STREAM_BY_METHOD = new Map(STREAMS.map((stream) => [stream.method, stream]));

export interface ConnectionOptions {
  readonly desk: Desk;
  readonly counters: ControlCounters;
  /** Milliseconds without any traffic after which the connection is closed (a watcher: with unread data only). */
  readonly idleMs: number;
  readonly onBug: (error: unknown) => void;
}

/**
 * Serves one client: one request after the other, in order. Reading stops while a request is at work and while the
 * client does not read its answers, so that a client can hold no more than one line and one answer.
 */
export const serveConnection = (socket: Socket, options: ConnectionOptions): void => {
  const { desk, counters } = options;
  const splitter = createLineSplitter();
  const pager = createPager();
  let stopStream: (() => void) | undefined;
  const closed = new AbortController();

  const ask = async (method: string, params: unknown): Promise<unknown> => {
    const stream = STREAM_BY_METHOD.get(method);
    if (stream !== undefined) {
      if (stopStream !== undefined) throw new CompanionError('REQUEST_INVALID', 'This connection watches already.');
      stopStream = startStream(stream, desk.operations, params, socket, counters);
      return { watching: true };
    }
    const route = BY_METHOD.get(method);
    if (route === undefined)
      throw new CompanionError('REQUEST_INVALID', `There is no method '${method.slice(0, 60)}'.`);
    if (!route.paged) return route.call(desk, params);
    return pager.page(method, params, async () => (await route.call(desk, {})) as readonly unknown[]);
  };

  const answer = async (id: RpcId, method: string, params: unknown): Promise<string> => {
    counters.requests += 1;
    try {
      const text = encodeSuccess(id, await withDeadline(ask(method, params), ANSWER_DEADLINE_MS, method.slice(0, 60)));
      if (Buffer.byteLength(text) <= MAX_LINE_BYTES) return text;
      throw new CompanionError('INTERNAL', `The answer to ${method} is longer than ${MAX_LINE_BYTES} bytes.`);
    } catch (error) {
      counters.failures += 1;
      const failure = failureOf(error);
      if (failure.code === 'INTERNAL') options.onBug(error);
      const unknown = !BY_METHOD.has(method) && !STREAM_BY_METHOD.has(method);
      return encodeError(id, unknown ? RPC_CODES.method : failure.rpc, failure.message, { code: failure.code });
    }
  };

  const handle = async (text: string): Promise<void> => {
    if (text.trim() === '') return;
    const message = parseRpc(text);
    let line = '';
    if (message.type === 'request') line = await answer(message.id, message.method, message.params);
    else if (message.type === 'invalid') {
      counters.failures += 1;
      line = encodeError(null, message.code, `The request was not understood: ${message.message}.`, {
        code: 'REQUEST_INVALID',
      });
    }
    // Notifications and answers from a client mean nothing here.
    if (line === '' || socket.destroyed) return;
    if (!socket.write(line)) await once(socket, 'drain', { signal: closed.signal });
  };

  const work = async (chunk: Buffer): Promise<void> => {
    const { lines, overflow } = splitter.push(chunk);
    for (const text of lines) {
      if (socket.destroyed) return;
      await handle(text);
    }
    if (!overflow) return;
    counters.oversized += 1;
    counters.failures += 1;
    socket.end(
      encodeError(null, RPC_CODES.request, `A line may have at most ${MAX_LINE_BYTES} bytes.`, {
        code: 'REQUEST_INVALID',
      }),
    );
    socket.destroySoon();
  };

  counters.open += 1;
  counters.accepted += 1;
  socket.on('data', (chunk: Buffer) => {
    socket.pause();
    work(chunk).then(
      () => {
        if (!socket.destroyed && socket.writable) socket.resume();
      },
      (error: unknown) => {
        if (!closed.signal.aborted) options.onBug(error);
        socket.destroy();
      },
    );
  });
  socket.setTimeout(options.idleMs, () => {
    if (stopStream !== undefined && socket.writableLength === 0) return;
    counters.idleClosed += 1;
    socket.destroy();
  });
  socket.on('error', () => {
    socket.destroy();
  });
  socket.on('close', () => {
    counters.open -= 1;
    closed.abort();
    stopStream?.();
  });
};
