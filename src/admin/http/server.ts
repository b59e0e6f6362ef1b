import { createServer } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import { createAdaptorServer } from '@hono/node-server';
import { CompanionError } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import { hookToken } from '../access/token-file.ts';
import type { TokenStore } from '../access/token-file.ts';
import type { Desk } from '../routes/index.ts';
import { createHttpApp } from './app.ts';
import type { HttpCounters } from './guard.ts';
import { readTlsFiles } from './tls.ts';
import type { TlsFiles } from './tls.ts';

const MAX_CONNECTIONS = 64;

/** Limits of Node's HTTP server, in milliseconds and bytes: whoever is slower or bigger is cut off. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
} as const;

/** A connection on which nothing moved, e.g. a reader that stopped reading. */
const SILENT_MS = 30_000;
const CLOSE_DEADLINE_MS = 2_000;

export interface HttpOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly token: string;
  readonly operations: Desk['operations'];
  readonly tokens: TokenStore;
  /** The hook for programs, and further tokens that open it and nothing else. */
  readonly hook?: Desk['hook'];
  readonly hookTokens?: readonly string[] | undefined;
  /** Speaks HTTPS with them; read again by `renew`. */
  readonly tls?: TlsFiles | undefined;
  /** Prometheus text from the observe room; without it `/metrics` is not found. */
  readonly metrics?: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
  /** Plain HTTP beyond this machine is refused unless the operator wrote it down. */
  readonly beyondLoopback?: boolean | undefined;
  /** Milliseconds for headers and for a whole request; shorter in tests. */
  readonly patience?: { readonly headersTimeout: number; readonly requestTimeout: number } | undefined;
  readonly onBug?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
}

export interface HttpDoor {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** The port in use, also when 0 was asked for. */
  readonly port: number;
  stats(): HttpCounters;
  /** Reads certificate and key again, for connections to come. @throws CompanionError CONFIG_UNREADABLE: the old ones go on */
  renew(): void;
  close(): Promise<void>;
}

const onlyThisMachine = (host: string): boolean => host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

const listen = async (server: Server, { host, port }: HttpOptions['listen']): Promise<number> =>
  new Promise((resolve, reject) => {
    const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'another program (another companion?) has it already. Stop it, or set http.listen to a free port.'
          : error.code === 'EACCES'
            ? 'permission denied. Ports below 1024 need privileges; set http.listen to a higher one.'
            : error.code === 'EADDRNOTAVAIL'
              ? 'this machine does not have that address. Set http.listen to one that it has.'
              : `${error.code ?? error.message}.`;
      reject(new CompanionError('PORT_IN_USE', `Cannot listen for HTTP on ${where}: ${why}`, { cause: error }));
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

/**
 * Opens the HTTP door: `/healthz`, `/metrics`, `/v1`, `/api/sip-guardian`.
 * @throws CompanionError PORT_IN_USE; CONFIG_UNREADABLE for a certificate that cannot be used; CONFIG_INVALID for an
 *   address beyond loopback without TLS and without `beyondLoopback`
 */
export const startHttp = async (options: HttpOptions): Promise<HttpDoor> => {
  const local = onlyThisMachine(options.listen.host);
  const { tls } = options;
  if (!local && tls === undefined && options.beyondLoopback !== true) {
    throw new CompanionError(
      'CONFIG_INVALID',
      `Refusing plain HTTP on ${options.listen.host}: set http.tls, or http.listen to 127.0.0.1, or http.beyond_loopback to true.`,
    );
  }
  const onBug = options.onBug ?? (() => {});
  const lineTokens = (options.hookTokens ?? []).map((token) => hookToken('line', token));
  const limits = { ...LIMITS, ...options.patience };
  const closing = new AbortController();
  const { app, counters } = createHttpApp({
    desk: { operations: options.operations, tokens: options.tokens, hook: options.hook },
    token: options.token,
    storedTokens: () => [...lineTokens, ...options.tokens.stored()],
    metrics: options.metrics,
    closing: closing.signal,
    onBug,
    openMetrics: local,
    clock: options.clock ?? { now: Date.now },
  });
  // Replaces the global Request and Response by lighter ones that extend them: hono's bodyLimit fails without.
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...(tls === undefined
      ? { createServer, serverOptions: limits as ServerOptions }
      : { createServer: createTlsServer, serverOptions: { ...limits, ...readTlsFiles(tls) } }),
  }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', () => {
    counters.refused += 1;
  });
  server.setTimeout(SILENT_MS);
  const port = await listen(server, options.listen);
  server.on('error', onBug);
  return {
    scheme: tls === undefined ? 'http' : 'https',
    host: options.listen.host,
    port,
    stats: () => ({ ...counters }),
    renew: () => {
      if (tls !== undefined) (server as TlsServer).setSecureContext(readTlsFiles(tls));
    },
    close: async () => {
      closing.abort();
      const ended = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        server.closeAllConnections();
      }, CLOSE_DEADLINE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
};
