import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Received {
  readonly at: number;
  readonly text: string;
}

/** A bare UDP socket: sends what it is told, keeps what it gets. */
export interface UdpClient {
  readonly ip: string;
  readonly port: number;
  /** `ip:port`, IPv6 in brackets. */
  readonly local: string;
  readonly received: Received[];
  bytesIn(): number;
  /** Called with every datagram, until the returned function is called. */
  listen(listener: (text: string) => void): () => void;
  send(text: string | Buffer): Promise<void>;
  /** Sends and waits for the first datagram that fits; undefined after the deadline. */
  ask(
    text: string,
    options?: { readonly withinMs?: number; readonly fits?: (text: string) => boolean },
  ): Promise<string | undefined>;
  close(): void;
}

/** Opens a socket on an address of this machine. */
export const openUdp = async (
  ip: string,
  server: { readonly ip: string; readonly port: number },
  port = 0,
): Promise<UdpClient> => {
  const socket = createSocket({ type: ip.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const listening = once(socket, 'listening');
  socket.bind({ address: ip, port });
  await listening;
  socket.on('error', () => undefined);
  const received: Received[] = [];
  const waiting = new Set<(text: string) => void>();
  let bytes = 0;
  socket.on('message', (datagram) => {
    const text = datagram.toString('latin1');
    bytes += datagram.length;
    received.push({ at: performance.now(), text });
    for (const tell of waiting) tell(text);
  });
  const send = async (text: string | Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.send(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, server.port, server.ip, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  const bound = socket.address();
  return {
    ip,
    port: bound.port,
    local: `${ip.includes(':') ? `[${ip}]` : ip}:${bound.port}`,
    received,
    bytesIn: () => bytes,
    listen: (listener) => {
      waiting.add(listener);
      return () => waiting.delete(listener);
    },
    send,
    ask: async (text, { withinMs = 1_000, fits = () => true } = {}) => {
      const answer = Promise.withResolvers<string | undefined>();
      const tell = (datagram: string): void => {
        if (fits(datagram)) answer.resolve(datagram);
      };
      waiting.add(tell);
      const stop = new AbortController();
      try {
        await send(text);
        const late = sleep(withinMs, undefined, { signal: stop.signal }).catch(() => undefined);
        return await Promise.race([answer.promise, late]);
      } finally {
        waiting.delete(tell);
        stop.abort();
      }
    },
    close: () => {
      socket.close();
    },
  };
};
