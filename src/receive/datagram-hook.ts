import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { CompanionError } from '../model/index.ts';
import type { Answer, Clock, Outcome, Request } from '../model/index.ts';
import { encodeHeartbeat, encodeVerdict, parseUpFrame } from '../protocol/index.ts';
import type { UpFrame } from '../protocol/index.ts';
import { NodeLine } from './node-line.ts';
import { outcomeOf, requestOf, unreadableOf } from './to-record.ts';

/** How often each server hears from us. It stops asking after 3 s without. */
const HEARTBEAT_MS = 400;

/** Our own deadline. An ask that waited longer is answered first (open) and judged afterwards. */
const OWN_DEADLINE_MS = 20;

/** Beyond this the two clocks disagree, and the age says nothing. */
const CLOCK_SKEW_MS = 5_000;

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

/** Called synchronously, one at a time. `ask` returns the answer and what is to be done once it has been sent. */
export interface HookHandlers {
  ask(request: Request): { readonly answer: Answer; readonly after: () => void };
  tell(request: Request): void;
  outcome(outcome: Outcome): void;
  /** An entry of one of the server's tables ran out. */
  expired(node: string, table: string, key: string): void;
  /** The server came (back) or is another start of itself: reconcile now. */
  hello(node: string, boot: string): void;
  /** A frame or message that was not taken. */
  drop(reason: string): void;
  /** A socket failed after it was bound, or one of these functions threw. */
  failed(error: Error): void;
}

export interface DatagramHook {
  /** Milliseconds since the node's last hello, undefined when it never spoke. */
  silentMs(node: string): number | undefined;
  stats(): { readonly asks: number; readonly tells: number; readonly late: number; readonly lost: number };
  stop(): Promise<void>;
}

const bind = async (host: string, port: number): Promise<Socket> => {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  const listening = once(socket, 'listening', { signal: AbortSignal.timeout(5_000) });
  socket.bind({ address: host, port, exclusive: true });
  try {
    await listening;
  } catch (cause) {
    socket.close();
    throw new CompanionError(
      'PORT_IN_USE',
      `Cannot listen for SIP servers on udp ${host}:${port}. Is another companion running? Change hook.ask_port and hook.tell_port in the configuration, or stop the other one.`,
      { cause },
    );
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
): Promise<DatagramHook> => {
  const { clock } = options;
  const nodes = new Map(options.nodes.map((node) => [node.name, { ...node, line: new NodeLine() }]));
  const secretOf = (name: string): string | undefined => nodes.get(name)?.secretUp;
  const counts = { asks: 0, tells: 0, late: 0 };

  const askSocket = await bind(options.host, options.askPort);
  const tellSocket = await bind(options.host, options.tellPort).catch((error: unknown) => {
    askSocket.close();
    throw error;
  });

  const send = (node: HookNode, frame: Buffer): void => {
    askSocket.send(frame, node.control.port, node.control.host, (error) => {
      if (error !== null) handlers.drop('send-failed');
    });
  };

  const handleAsk = (frame: Extract<UpFrame, { kind: 'ask' | 'tell' }>, node: HookNode): void => {
    counts.asks += 1;
    const now = clock.now();
    const reply = (answer: Answer): void =>
      send(node, encodeVerdict(node.secretDown, frame.tindex, frame.tlabel, answer));
    const request = requestOf(frame, now);
    if (typeof request === 'string') {
      // the server could read it and we could not: not a reason to hurt anybody
      reply('allow');
      handlers.drop(`unreadable-${request}`);
      const garbage = unreadableOf(frame, now);
      if (garbage !== undefined) handlers.outcome(garbage);
      return;
    }
    const age = now - frame.sentAt;
    if (age > OWN_DEADLINE_MS && age < CLOCK_SKEW_MS) {
      counts.late += 1;
      reply('allow');
      handlers.tell(request);
      return;
    }
    let judged: ReturnType<HookHandlers['ask']>;
    try {
      judged = handlers.ask(request);
    } catch (error) {
      reply('allow');
      throw error;
    }
    reply(judged.answer);
    judged.after();
  };

  const handleTold = (frame: UpFrame): void => {
    const line = nodes.get(frame.node)?.line;
    if (line === undefined) return;
    const now = clock.now();
    if (frame.kind === 'hello') {
      if (line.hello(frame.boot, frame.seq, now)) handlers.hello(frame.node, frame.boot);
      return;
    }
    line.took();
    counts.tells += 1;
    if (frame.kind === 'expired') {
      handlers.expired(frame.node, frame.table, frame.key);
      return;
    }
    const record = 'raw' in frame ? requestOf(frame, now) : outcomeOf(frame, now);
    if (typeof record === 'string') handlers.drop(`unreadable-${record}`);
    else if (record.kind === 'request') handlers.tell(record);
    else handlers.outcome(record);
  };

  /** One message that trips over a bug of ours must not end the service that protects all others. */
  const guarded =
    (handle: (frame: UpFrame) => void) =>
    (datagram: Buffer): void => {
      const frame = parseUpFrame(datagram, secretOf);
      if (typeof frame === 'string') return handlers.drop(frame);
      try {
        handle(frame);
      } catch (error) {
        handlers.drop('internal-error');
        handlers.failed(error instanceof Error ? error : new Error(String(error)));
      }
    };
  const onAskSocket = (frame: UpFrame): void => {
    const node = nodes.get(frame.node);
    if (frame.kind === 'ask' && node !== undefined) handleAsk(frame, node);
    else handlers.drop('wrong-socket');
  };
  const onTellSocket = (frame: UpFrame): void => {
    if (frame.kind === 'ask') handlers.drop('wrong-socket');
    else handleTold(frame);
  };
  askSocket.on('message', guarded(onAskSocket));
  tellSocket.on('message', guarded(onTellSocket));
  askSocket.on('error', handlers.failed);
  tellSocket.on('error', handlers.failed);

  const beat = (): void => {
    for (const node of nodes.values()) send(node, encodeHeartbeat(node.secretDown));
  };
  beat();
  const heartbeat = setInterval(beat, HEARTBEAT_MS);

  return {
    silentMs(name) {
      const line = nodes.get(name)?.line;
      return line === undefined || line.lastHello === 0 ? undefined : clock.now() - line.lastHello;
    },
    stats: () => ({ ...counts, lost: [...nodes.values()].reduce((sum, { line }) => sum + line.lost, 0) }),
    async stop() {
      clearInterval(heartbeat);
      await Promise.all([askSocket, tellSocket].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
};
