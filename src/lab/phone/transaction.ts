import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

/** RFC 3261, section 17.1.2.2: first retransmission, longest gap, and Timer F. */
const T1_MS = 500;
const T2_MS = 4_000;
const TIMER_F_MS = 64 * T1_MS;

export interface Response {
  readonly status: number;
  readonly text: string;
  readonly latencyMs: number;
  /** How often the request was sent. */
  readonly sent: number;
}

/** A UDP socket that speaks non-INVITE client transactions to one server. */
export interface Wire {
  /** As others write it in a Contact: IPv6 in brackets. */
  readonly local: string;
  /**
   * Sends a request (its lines after the request line, without Via) and waits for the final response.
   * Undefined after Timer F.
   */
  request(method: string, uri: string, lines: readonly string[]): Promise<Response | undefined>;
  close(): void;
}

const bracketed = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

const bind = async (ip: string): Promise<Socket> => {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  const listening = once(socket, 'listening');
  socket.bind({ address: ip, port: 0 });
  await listening;
  return socket;
};

/** Opens a socket on an address of this machine. */
export const openWire = async (from: string, server: { readonly ip: string; readonly port: number }): Promise<Wire> => {
  const socket = await bind(from);
  const local = `${bracketed(from)}:${socket.address().port}`;
  const waiting = new Map<string, (text: string) => void>();
  let closed = false;
  socket.on('error', () => undefined);
  socket.on('message', (datagram) => {
    const text = datagram.toString('latin1');
    const branch = /^(?:via|v)\s*:.*?;\s*branch=([\w.-]{1,80})/im.exec(text)?.[1];
    if (text.startsWith('SIP/2.0 ') && branch !== undefined) waiting.get(branch)?.(text);
  });
  return {
    local,
    request: async (method, uri, lines) =>
      new Promise((resolve) => {
        const branch = `z9hG4bK${randomBytes(8).toString('hex')}`;
        const message = [
          `${method} ${uri} SIP/2.0`,
          `Via: SIP/2.0/UDP ${local};rport;branch=${branch}`,
          ...lines,
          'Content-Length: 0',
          '',
          '',
        ].join('\r\n');
        const began = performance.now();
        let sent = 0;
        let gap = T1_MS;
        let timerE: NodeJS.Timeout | undefined;
        const end = (response?: Response): void => {
          clearTimeout(timerE);
          clearTimeout(timerF);
          waiting.delete(branch);
          resolve(response);
        };
        const timerF = setTimeout(end, TIMER_F_MS);
        const send = (): void => {
          if (closed) {
            end();
            return;
          }
          sent += 1;
          socket.send(message, server.port, server.ip);
          timerE = setTimeout(send, gap);
          gap = Math.min(gap * 2, T2_MS);
        };
        waiting.set(branch, (text) => {
          const status = Number(text.slice(8, 11));
          if (status >= 200) end({ status, text, latencyMs: performance.now() - began, sent });
          // a provisional response slows the retransmissions down (Timer E is T2 in the proceeding state)
          else gap = T2_MS;
        });
        send();
      }),
    close: () => {
      closed = true;
      socket.close();
    },
  };
};
