import { Worker } from 'node:worker_threads';
import type { Clock } from '../../model/index.ts';
import { encodeHeartbeat, encodeVerdict, toEvapi } from '../../protocol/index.ts';
import { HEARTBEAT_MS } from '../datagram-hook.ts';
import { createHookCore } from '../hook-core.ts';
import type { Hook, HookHandlers, Reply } from '../hook-core.ts';
import { SHARED, SHARED_BYTES } from './messages.ts';
import type { FromLine, LineOptions, ToLine } from './messages.ts';

/** A thread that died is started again after this long. */
const RESTART_MS = 500;

/** One SIP server that listens with evapi. */
export interface EvapiNode {
  readonly name: string;
  readonly evapi: { readonly host: string; readonly port: number };
  readonly secretUp: string;
  readonly secretDown: string;
}

/** `thread.ts` when started from source, `thread.js` when built: tsc rewrites imports but not URLs. */
const threadUrl = (): URL => new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/**
 * The evapi hook: one connection to each server, held by a thread of its own (see `thread.ts`). Heartbeats come from
 * here, so that a server stops asking while the main thread hangs.
 */
export const createEvapiHook = (
  options: { readonly nodes: readonly EvapiNode[]; readonly clock: Clock },
  handlers: HookHandlers,
): Hook => {
  const { nodes } = options;
  const indices = new Map(nodes.map(({ name }, index) => [name, index]));
  const core = createHookCore(nodes, options.clock, handlers);
  let worker: Worker;
  let restart: NodeJS.Timeout | undefined;
  const connected = new Set<number>();
  let stopped = false;

  const send = (node: number, bytes: Buffer): void => worker.postMessage({ node, bytes } satisfies ToLine);
  const beat = (node: number): void =>
    send(node, toEvapi(encodeHeartbeat((nodes[node] as EvapiNode).secretDown, options.clock.now())));
  const reply: Reply = (frame, answer) => {
    const index = indices.get(frame.node);
    if (index === undefined) return;
    const { secretDown } = nodes[index] as EvapiNode;
    send(index, toEvapi(encodeVerdict(secretDown, frame.tindex, frame.tlabel, answer)));
  };

  const start = (): void => {
    const counters = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
    const started = new Worker(threadUrl(), {
      name: 'evapi',
      workerData: {
        nodes: nodes.map(({ name, evapi }) => ({ name, ...evapi })),
        shared: counters.buffer,
      } satisfies LineOptions,
    });
    let dropped = 0;
    const take = (message: FromLine): void => {
      switch (message.kind) {
        case 'frames':
          for (const { buffer, byteOffset, byteLength } of message.frames)
            core.take(Buffer.from(buffer, byteOffset, byteLength), 'both', reply);
          Atomics.add(counters, SHARED.handled, message.frames.length);
          break;
        case 'up':
          connected.add(message.node);
          // the first heartbeat is also what tells the server that this is us
          beat(message.node);
          break;
        case 'down':
          connected.delete(message.node);
          handlers.drop(message.reason);
          break;
        case 'drop':
          handlers.drop(message.reason);
          break;
      }
      for (const now = Atomics.load(counters, SHARED.dropped); dropped !== now; dropped = (dropped + 1) | 0)
        handlers.drop('evapi-behind');
    };
    started.on('message', take);
    started.on('error', (error: Error) => handlers.failed(error));
    started.on('exit', () => {
      connected.clear();
      if (!stopped) restart = setTimeout(start, RESTART_MS);
    });
    worker = started;
  };
  start();
  const heartbeat = setInterval(() => {
    for (const node of connected) beat(node);
  }, HEARTBEAT_MS);

  return {
    silentMs: core.silentMs,
    stats: core.stats,
    async stop() {
      stopped = true;
      clearInterval(heartbeat);
      clearTimeout(restart);
      await worker.terminate();
    },
  };
};
