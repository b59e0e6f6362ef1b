import { createServer } from 'node:net';
import { once } from 'node:events';

/** A port for a program that is to be started with `--inspect`. */
export const freeTcpPort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

/** Keeps the main thread of a Node.js program busy for so long; its other threads go on. Returns at once. */
export const blockMainThread = async (inspectPort: number, ms: number): Promise<void> => {
  const list = await fetch(`http://127.0.0.1:${inspectPort}/json/list`, { signal: AbortSignal.timeout(3_000) });
  const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target!.webSocketDebuggerUrl);
  await once(socket, 'open');
  const expression = `{ const end = performance.now() + ${ms}; while (performance.now() < end); }`;
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
  setTimeout(() => socket.close(), ms + 1_000).unref();
};
