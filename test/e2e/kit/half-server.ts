import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** How a server behaves that is no Kamailio (any more). */
export type Half = 'silent' | 'refusing' | 'nonsense' | 'endless' | 'half';

export interface HalfServer {
  readonly url: string;
  behave(how: Half): void;
  /** Connections and requests that came. */
  readonly seen: { connections: number; requests: number };
  close(): Promise<void>;
}

const PIECE = `${'x'.repeat(64 * 1024)}`;

const httpOf = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** What a Kamailio says that answers questions about itself, and nothing that is written. */
const READABLE: Readonly<Record<string, string>> = {
  'core.uptime': '{"up_since":"yesterday","uptime":5}',
  'core.version': '"kamailio 5.6.3"',
  'core.shmmem': '{"total":100,"free":60}',
  'htable.dump': '[]',
  'htable.listTables':
    '[{"name":"ipban","expire":60},{"name":"companion_net","expire":60},{"name":"companion_state","expire":60},{"name":"companion_good","expire":60}]',
};

/** A TCP server that accepts everything and helps with nothing. */
export const openHalfServer = async (): Promise<HalfServer> => {
  let how: Half = 'silent';
  const seen = { connections: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const pour = (socket: Socket): void => {
    while (!socket.destroyed && socket.write(PIECE));
  };
  const answer = (socket: Socket, text: string): void => {
    if (how === 'nonsense') socket.write(httpOf('<html>It works!</html>'));
    if (how === 'endless') {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n');
      socket.on('drain', () => pour(socket));
      pour(socket);
    }
    if (how !== 'half') return;
    for (const [, method = ''] of text.matchAll(/"method":"([A-Za-z.]+)"/g)) {
      const result = READABLE[method];
      if (/^htable\.(?:set|delete|stats)/.test(method)) continue;
      const said = result === undefined ? '"error":{"code":500,"message":"no"}' : `"result":${result}`;
      socket.write(httpOf(`{"jsonrpc":"2.0",${said},"id":1}`));
    }
  };
  const server = createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (how === 'refusing') return socket.resetAndDestroy();
    socket.on('data', (chunk) => {
      seen.requests += 1;
      answer(socket, chunk.toString('latin1'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/RPC`,
    seen,
    behave(next) {
      how = next;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
