import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { DecisionEvent, StatusReport, WhyReport } from '../model/index.ts';
import { createLineSplitter, encodeRequest, parseRpc } from '../protocol/index.ts';

const DEADLINE_MS = 2_000;

/** Asks a running companion one thing. Undefined when it cannot answer (yet). */
const ask = async (path: string, method: string, params: object = {}): Promise<unknown> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const splitter = createLineSplitter();
    const end = (result: unknown): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(DEADLINE_MS, () => {
      end(undefined);
    });
    socket.on('error', () => {
      end(undefined);
    });
    socket.on('close', () => {
      end(undefined);
    });
    socket.on('connect', () => {
      socket.write(encodeRequest(1, method, params));
    });
    socket.on('data', (chunk: Buffer) => {
      for (const line of splitter.push(chunk).lines) {
        const message = parseRpc(line);
        end(message.type === 'success' ? message.result : undefined);
      }
    });
  });

/** What `companion status` shows; undefined when nobody answers (yet). */
export const statusOf = async (path: string): Promise<StatusReport | undefined> =>
  (await ask(path, 'status')) as StatusReport | undefined;

/** What is known of an address, and what its Kamailio says that it holds; undefined when nobody answers. */
export const whyOf = async (path: string, ip: string): Promise<WhyReport | undefined> =>
  (await ask(path, 'why', { ip })) as WhyReport | undefined;

/** Every decision from now on, until the returned function is called or the companion goes away. */
export const watchDecisions = async (path: string, listener: (event: DecisionEvent) => void): Promise<() => void> => {
  const socket: Socket = connect(path);
  const splitter = createLineSplitter();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('connect', () => {
      socket.write(encodeRequest(1, 'watch', {}));
    });
    socket.on('data', (chunk: Buffer) => {
      for (const line of splitter.push(chunk).lines) {
        const message = parseRpc(line);
        if (message.type === 'success') resolve();
        if (message.type === 'notification' && message.method === 'decision') listener(message.params as DecisionEvent);
      }
    });
  });
  socket.on('error', () => {
    socket.destroy();
  });
  return () => {
    socket.destroy();
  };
};
