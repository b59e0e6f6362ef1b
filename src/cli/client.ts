import type { Socket } from 'node:net';
import type { MethodName, Page } from '../admin/index.ts';
import { CompanionError, ERROR_CODES } from '../model/index.ts';
import type { DecisionEvent, ErrorCode, TraceEvent } from '../model/index.ts';
import { createLineSplitter, encodeRequest, parseRpc } from '../protocol/index.ts';
import type { RpcMessage } from '../protocol/index.ts';

/** For each answer. */
const DEADLINE_MS = 5_000;
/** A list has at most this many pages of a thousand rows. */
const MAX_PAGES = 10_000;

/** Feed of `watch` and `trace`. The returned promise of `stream` rejects when the service goes away. */
export interface WatchListener {
  event(event: DecisionEvent | TraceEvent): void;
  dropped(count: number): void;
}

const EVENTS: ReadonlySet<string> = new Set(['decision', 'trace']);

export interface Client {
  readonly path: string;
  call<T>(method: MethodName, params: object): Promise<T>;
  /** All pages of a list. */
  list<T>(method: MethodName): Promise<readonly T[]>;
  stream(method: 'watch' | 'trace', params: object, listener: WatchListener): Promise<never>;
  /** Stops reading while the reader of our output is slow; the service then counts what it drops. */
  pause(): void;
  resume(): void;
  close(): void;
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);

const refusal = (message: Extract<RpcMessage, { type: 'error' }>): CompanionError => {
  const code = (message.data as { code?: unknown } | null | undefined)?.code;
  return new CompanionError(isCode(code) ? code : 'INTERNAL', message.message);
};

const lost = (path: string, what: string): CompanionError =>
  new CompanionError('SERVICE_UNREACHABLE', `The companion at ${path} ${what}.`);

/** Speaks JSON-RPC over a connected socket, one question at a time. */
export const createClient = (socket: Socket, path: string): Client => {
  const splitter = createLineSplitter();
  let waiting:
    | { readonly id: number; readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }
    | undefined;
  let watcher: { readonly listener: WatchListener; readonly reject: (error: Error) => void } | undefined;
  let lastId = 0;

  const fail = (error: CompanionError): void => {
    waiting?.reject(error);
    watcher?.reject(error);
    waiting = undefined;
    watcher = undefined;
    socket.destroy();
  };
  const receive = (message: RpcMessage): void => {
    if (message.type === 'notification') {
      if (EVENTS.has(message.method)) watcher?.listener.event(message.params as DecisionEvent | TraceEvent);
      if (message.method === 'dropped') watcher?.listener.dropped((message.params as { count: number }).count);
      return;
    }
    if (message.type === 'success' && message.id === waiting?.id) {
      const { resolve } = waiting;
      waiting = undefined;
      resolve(message.result);
    } else if (message.type === 'error' && (message.id === null || message.id === waiting?.id)) {
      const { reject } = waiting ?? {};
      waiting = undefined;
      reject?.(refusal(message));
    } else if (message.type === 'invalid')
      fail(lost(path, 'sent something that is not JSON-RPC; is it another program?'));
  };
  socket.on('data', (chunk: Buffer) => {
    const { lines, overflow } = splitter.push(chunk);
    for (const line of lines) receive(parseRpc(line));
    if (overflow) fail(lost(path, 'sent a line that is too long'));
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    fail(lost(path, `broke the connection (${error.code ?? error.message})`));
  });
  socket.on('close', () => {
    fail(lost(path, 'closed the connection'));
  });

  const call = async <T>(method: MethodName, params: object): Promise<T> => {
    lastId += 1;
    const id = lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        if (socket.destroyed) throw lost(path, 'closed the connection');
        waiting = { id, resolve: resolve as (result: unknown) => void, reject };
        timer = setTimeout(() => {
          fail(lost(path, `did not answer within ${DEADLINE_MS / 1_000} s`));
        }, DEADLINE_MS);
        socket.write(encodeRequest(id, method, params));
      });
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    path,
    call,
    list: async <T>(method: MethodName): Promise<readonly T[]> => {
      const rows: T[] = [];
      let cursor: number | null = 0;
      for (let pages = 0; cursor !== null && pages < MAX_PAGES; pages += 1) {
        const page: Page = await call<Page>(method, { cursor });
        for (const row of page.rows) rows.push(row as T);
        cursor = page.next;
      }
      return rows;
    },
    stream: async (method, params, listener) => {
      const ended = new Promise<never>((_resolve, reject) => {
        watcher = { listener, reject };
      });
      await Promise.race([call(method, params), ended]);
      return ended;
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
    close: () => {
      socket.destroy();
    },
  };
};
