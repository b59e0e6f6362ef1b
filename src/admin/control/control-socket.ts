import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { CompanionError } from '../../model/index.ts';
import type { Desk } from '../routes/index.ts';
import { RPC_CODES, encodeError } from '../../protocol/index.ts';
import { serveConnection } from './connection.ts';
import { newCounters } from './control-stats.ts';
import type { ControlStats } from './control-stats.ts';
import { bindSocketFile } from './socket-file.ts';

/** Far more than operators and scripts on one machine need. */
export const MAX_CONNECTIONS = 64;

const IDLE_MS = 60_000;

export interface ControlSocketOptions {
  readonly path: string;
  readonly desk: Desk;
  /** Told of errors that are bugs, for the log. */
  readonly onBug?: ((error: unknown) => void) | undefined;
  /** Milliseconds; 60 s unless told. */
  readonly idleMs?: number | undefined;
}

export interface ControlSocket {
  readonly path: string;
  stats(): ControlStats;
  /** Closes the socket and every connection, and removes the file. */
  close(): Promise<void>;
}

/**
 * Opens the control socket: newline-delimited JSON-RPC 2.0, methods and streams as in `routes`.
 * @throws CompanionError PORT_IN_USE
 */
export const startControlSocket = async (options: ControlSocketOptions): Promise<ControlSocket> => {
  const counters = newCounters();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      counters.refused += 1;
      socket.on('error', () => {
        socket.destroy();
      });
      socket.end(
        encodeError(
          null,
          RPC_CODES.failed,
          `Companion serves at most ${MAX_CONNECTIONS} connections at a time. Close one and try again.`,
          { code: 'REQUEST_INVALID' },
        ),
      );
      socket.destroySoon();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
    });
    serveConnection(socket, {
      desk: options.desk,
      counters,
      idleMs: options.idleMs ?? IDLE_MS,
      onBug: options.onBug ?? (() => {}),
    });
  });
  await bindSocketFile(server, options.path);
  // After the start a failing accept (out of file descriptors) must not end the service.
  server.on('error', (error) => {
    options.onBug?.(error);
  });
  return {
    path: options.path,
    stats: () => ({ ...counters }),
    close: async () => {
      const ended = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
};

/**
 * Opens the control socket at the first path of the search order that this user may bind.
 * @throws CompanionError PORT_IN_USE; at once when another companion serves one of the paths
 */
export const openControlSocket = async (
  paths: readonly string[],
  options: Omit<ControlSocketOptions, 'path'>,
): Promise<ControlSocket> => {
  for (const path of paths.slice(0, -1)) {
    try {
      return await startControlSocket({ ...options, path });
    } catch (error) {
      if (error instanceof CompanionError && error.message.includes('another companion')) throw error;
    }
  }
  return startControlSocket({ ...options, path: paths.at(-1)! });
};
