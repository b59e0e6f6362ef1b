import { createSocket } from 'node:dgram';
import type { Socket, SocketOptions } from 'node:dgram';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { CompanionError } from '../model/index.ts';
import type { Clock } from '../model/index.ts';
import { encodeHeartbeat, encodeVerdict } from '../protocol/index.ts';
import { createHookCore } from './hook-core.ts';
import type { Hook, HookHandlers, Reply } from './hook-core.ts';

/** How often each server hears from us. It stops asking after 3 s without. */
export const HEARTBEAT_MS = 400;

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** One SIP server behind the hook. */
export interface HookNode {
  readonly name: string;
  /** Where its control socket listens. */
  readonly control: { readonly host: string; readonly port: number };
  /** Secret of frames from it. */
  readonly secretUp: string;
  /** Secret of frames to it. */
  readonly secretDown: string;
}

const whyOf = (cause: unknown): string => {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  switch (code) {
    case 'EADDRINUSE':
      return 'another program (another companion?) has it already. Stop it, or change hook.ask_port and hook.tell_port in the configuration.';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address. Set hook.listen to one that it has.';
    case 'EACCES':
      return 'permission denied. Set hook.ask_port and hook.tell_port to ports above 1023.';
    default:
      return `${code}.`;
  }
};

type Lookup = NonNullable<SocketOptions['lookup']>;

/**
 * Names are looked up, addresses are what they are: `send` would ask the resolver for them as well, whose answer comes
 * after everything else of this turn, and the server would wait for the books.
 */
const lookupExcept = (hosts: readonly string[]): Lookup => {
  const addresses = new Map(hosts.flatMap((host) => (isIP(host) === 0 ? [] : [[host, isIP(host)] as const])));
  return (name, options, found) => {
    const family = addresses.get(name);
    if (family === undefined) lookup(name, options, found);
    else found(null, name, family);
  };
};

const bind = async (host: string, port: number, known: Lookup): Promise<Socket> => {
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    lookup: known,
  });
  const listening = once(socket, 'listening', { signal: AbortSignal.timeout(5_000) });
  socket.bind({ address: host, port, exclusive: true });
  try {
    await listening;
  } catch (cause) {
    socket.close();
    throw new CompanionError('PORT_IN_USE', `Cannot listen for SIP servers on udp ${host}:${port}: ${whyOf(cause)}`, {
      cause,
    });
  }
  return socket;
};

/**
 * The datagram hook: two sockets, so that a flood of tells cannot hold up an ask. Cannot block a worker of the server.
 * @param options `host`, `askPort`, `tellPort`: where to listen; the servers that may speak; the clock
 * @throws CompanionError PORT_IN_USE
 */
export const createDatagramHook = async (
  options: {
    readonly host: string;
    readonly askPort: number;
    readonly tellPort: number;
    readonly nodes: readonly HookNode[];
    readonly clock: Clock;
  },
  handlers: HookHandlers,
): Promise<Hook> => {
  const nodes = new Map(options.nodes.map((node) => [node.name, node]));
  const core = createHookCore(options.nodes, options.clock, handlers);

  const known = lookupExcept([options.host, ...options.nodes.map(({ control }) => control.host)]);
  const askSocket = await bind(options.host, options.askPort, known);
  const tellSocket = await bind(options.host, options.tellPort, known).catch((error: unknown) => {
    askSocket.close();
    throw error;
  });

  const sent = (error: Error | null): void => {
    if (error !== null) handlers.drop('send-failed');
  };
  const send = (node: HookNode, frame: Buffer): void => {
    askSocket.send(frame, node.control.port, node.control.host, sent);
  };
  const reply: Reply = (frame, answer) => {
    const node = nodes.get(frame.node);
    if (node !== undefined) send(node, encodeVerdict(node.secretDown, frame.tindex, frame.tlabel, answer));
  };
  askSocket.on('message', (bytes) => core.take(bytes, 'asks', reply));
  tellSocket.on('message', (bytes) => core.take(bytes, 'tells', reply));
  askSocket.on('error', handlers.failed);
  tellSocket.on('error', handlers.failed);

  const beat = (): void => {
    for (const node of nodes.values()) send(node, encodeHeartbeat(node.secretDown, options.clock.now()));
  };
  beat();
  const heartbeat = setInterval(beat, HEARTBEAT_MS);

  return {
    silentMs: core.silentMs,
    stats: core.stats,
    async stop() {
      clearInterval(heartbeat);
      await Promise.all([askSocket, tellSocket].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
};
