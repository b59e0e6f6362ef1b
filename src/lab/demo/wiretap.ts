import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

/** Milliseconds of the same clock as companion's events, with fractions. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

/** What went over the wire between one attacker and the server. */
export interface Wire {
  readonly sent: readonly number[];

  readonly answers: readonly { readonly at: number; readonly status: number }[];
}

export interface Wiretap extends Wire {
  readonly port: number;
  close(): void;
}

/** A UDP socket on an address of this machine. */
export const bindUdp = async (address: string): Promise<Socket> => {
  const socket = createSocket('udp4');
  const listening = once(socket, 'listening');
  socket.bind({ address, port: 0 });
  await listening;
  socket.on('error', () => undefined);
  return socket;
};

/**
 * Stands between one attacker and the server, notes every datagram, and gives the attacker an address of its own:
 * svwar 0.3.3 sends from whatever address the system picks, its -b has no effect.
 */
export const openWiretap = async (
  attacker: string,
  server: { readonly ip: string; readonly port: number },
): Promise<Wiretap> => {
  const inside = await bindUdp(attacker);
  const outside = await bindUdp(attacker);
  const sent: number[] = [];
  const answers: { at: number; status: number }[] = [];
  let scanner: { readonly address: string; readonly port: number } | undefined;

  inside.on('message', (datagram, from) => {
    scanner = from;
    sent.push(wallClock());
    outside.send(datagram, server.port, server.ip);
  });
  outside.on('message', (datagram) => {
    answers.push({ at: wallClock(), status: Number(datagram.toString('latin1', 8, 11)) });
    if (scanner !== undefined) inside.send(datagram, scanner.port, scanner.address);
  });
  return {
    port: inside.address().port,
    sent,
    answers,
    close: () => {
      inside.close();
      outside.close();
    },
  };
};
