import { createSocket } from 'node:dgram';
import { CompanionError, canonicalIp } from '../model/index.ts';
import type { Answer, Clock, GivenOutcome, GivenRequest, GivenSource, HookDesk, Outcome } from '../model/index.ts';
import { encodeHeartbeat } from '../protocol/index.ts';
import type { UpFrame } from '../protocol/index.ts';
import { HEARTBEAT_MS } from './datagram-hook.ts';
import type { HookNode } from './datagram-hook.ts';
import { createHookCore } from './hook-core.ts';
import type { AskFrame, Hook, HookHandlers } from './hook-core.ts';
import { authCodeOf, outcomeOf, tierOf } from './to-record.ts';

/** Bytes of a message that are looked at, as with the other doors. */
const MAX_MESSAGE_BYTES = 5_000;
const GARBAGE_BYTES = 256;

const invalid = (message: string): CompanionError => new CompanionError('REQUEST_INVALID', message);

const placed = (given: GivenSource, at: number) => {
  const ip = canonicalIp(given.ip);
  if (ip === undefined) throw invalid(`'${given.ip.slice(0, 60)}' is not an IP address.`);
  return { node: given.node, seq: 0, sentAt: at, ip, port: given.port, transport: given.transport };
};

const requestFrame = (kind: 'ask' | 'tell', given: GivenRequest, at: number): AskFrame => ({
  ...placed(given, at),
  kind,
  tindex: 0,
  tlabel: 0,
  credentials: given.credentials,
  standing: given.standing,
  sizeBytes: given.message.length,
  cut: given.message.length > MAX_MESSAGE_BYTES,
  raw: given.message.subarray(0, MAX_MESSAGE_BYTES),
});

const outcomeFrame = (given: GivenOutcome, at: number): Parameters<typeof outcomeOf>[0] => {
  const base = placed(given, at);
  switch (given.type) {
    case 'auth': {
      const { method, user, claimed, callId } = given;
      return { ...base, kind: 'auth', rc: authCodeOf(given.result), method, user, claimed, callId };
    }
    case 'registered':
      return { ...base, kind: 'registered', user: given.user, expiresSeconds: given.expiresSeconds };
    case 'reply': {
      const { code, method, user, target, callId } = given;
      return { ...base, kind: 'reply', code, method, user, target, callId };
    }
    case 'garbage': {
      const bytes = given.message.subarray(0, GARBAGE_BYTES);
      return { ...base, kind: 'parse-error', bytes, sizeBytes: given.message.length };
    }
  }
};

/**
 * The hook for whoever can only speak HTTP: programs hand over requests and outcomes, servers with the transport `http`
 * their frames. HTTP itself and its tokens are the admin room's. Heartbeats go to the servers' control sockets.
 */
export const createHttpHook = (
  options: { readonly nodes: readonly HookNode[]; readonly clock: Clock },
  handlers: HookHandlers,
): Hook & { readonly desk: HookDesk } => {
  const { nodes, clock } = options;
  const core = createHookCore(nodes, clock, handlers);
  const asked = (ask: (reply: (frame: UpFrame, answer: Answer) => void) => void): Answer | undefined => {
    let said: Answer | undefined;
    ask((_frame, answer) => {
      said ??= answer;
    });
    return said;
  };

  const socket = nodes.length === 0 ? undefined : createSocket('udp4');
  socket?.on('error', handlers.failed);
  const beat = (): void => {
    for (const { control, secretDown } of nodes) {
      socket?.send(encodeHeartbeat(secretDown, clock.now()), control.port, control.host, (error) => {
        if (error !== null) handlers.drop('send-failed');
      });
    }
  };
  beat();
  const heartbeat = setInterval(beat, HEARTBEAT_MS);

  return {
    silentMs: core.silentMs,
    stats: core.stats,
    desk: {
      decide: (given) => asked((reply) => core.handle(requestFrame('ask', given, clock.now()), reply)) ?? 'allow',
      tell: (given) => core.handle(requestFrame('tell', given, clock.now()), () => undefined),
      report(given) {
        const outcome = outcomeOf(outcomeFrame(given, clock.now()), clock.now());
        if (typeof outcome === 'string') throw invalid(`This outcome cannot be read (${outcome}).`);
        core.outcome({ ...outcome, tier: tierOf(outcome.source, given.bound) } satisfies Outcome);
      },
      frame: (bytes) => asked((reply) => core.take(bytes, 'both', reply)),
    },
    async stop() {
      clearInterval(heartbeat);
      if (socket !== undefined) await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
};
