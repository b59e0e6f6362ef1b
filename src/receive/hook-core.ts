import type { Answer, Clock, Outcome, Request } from '../model/index.ts';
import { parseUpFrame } from '../protocol/index.ts';
import type { UpFrame } from '../protocol/index.ts';
import { NodeLine } from './node-line.ts';
import { outcomeOf, requestOf, unreadableOf } from './to-record.ts';

/**
 * The server has given up by then (COMPANION_ASK_MS), and the request has gone on: what is left of the ask is a tell.
 * Anything younger is judged: an `allow` instead would save nothing, and 20 ms pass on any busy machine.
 */
const SERVER_DEADLINE_MS = 400;

/** Beyond this the two clocks disagree, and the age says nothing. */
const CLOCK_SKEW_MS = 5_000;

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

/** `lost`: tells that the servers sent and that did not arrive. */
export type HookStats = Readonly<Record<'asks' | 'tells' | 'late' | 'lost', number>>;

/** What the doors have in common. */
export interface Hook {
  /** Milliseconds since the node's last hello, undefined when it never spoke. */
  silentMs(node: string): number | undefined;
  stats(): HookStats;
  stop(): Promise<void>;
}

export type AskFrame = Extract<UpFrame, { kind: 'ask' | 'tell' }>;

/** Sends a verdict back to where the ask came from. */
export type Reply = (frame: AskFrame, answer: Answer) => void;

/** What a door does with the frames that come through it; the same for all of them. */
export interface HookCore extends Pick<Hook, 'silentMs' | 'stats'> {
  /**
   * Takes one frame; never throws.
   * @param kinds what may come here: a door with two sockets keeps asks and tells apart
   */
  take(bytes: Buffer, kinds: 'asks' | 'tells' | 'both', reply: Reply): void;
  /** A frame whose sender was checked in another way. */
  handle(frame: UpFrame, reply: Reply): void;
  /** An outcome that is no frame, from a sender that was checked. */
  outcome(outcome: Outcome): void;
}

/**
 * From a frame to the handlers and back: secret, shape, line state, late asks, drops.
 * @param nodes who may speak, with the secrets of their frames
 */
export const createHookCore = (
  nodes: readonly { readonly name: string; readonly secretUp: string }[],
  clock: Clock,
  handlers: HookHandlers,
): HookCore => {
  const lines = new Map(nodes.map(({ name, secretUp }) => [name, { secretUp, line: new NodeLine() }]));
  const secretOf = (name: string): string | undefined => lines.get(name)?.secretUp;
  const counts = { asks: 0, tells: 0, late: 0 };

  const takeAsk = (frame: AskFrame, reply: Reply): void => {
    counts.asks += 1;
    const now = clock.now();
    const request = requestOf(frame, now);
    if (typeof request === 'string') {
      // no address, nobody to judge: not a reason to hurt anybody
      reply(frame, 'allow');
      handlers.drop(`unreadable-${request}`);
      return;
    }
    if (request.unreadable !== undefined) {
      handlers.drop(`unreadable-${request.unreadable}`);
      const garbage = unreadableOf(frame, now);
      if (garbage !== undefined) handlers.outcome(garbage);
    }
    const age = now - frame.sentAt;
    if (age > SERVER_DEADLINE_MS && age < CLOCK_SKEW_MS) {
      counts.late += 1;
      reply(frame, 'allow');
      handlers.tell(request);
      return;
    }
    let judged: ReturnType<HookHandlers['ask']>;
    try {
      judged = handlers.ask(request);
    } catch (error) {
      reply(frame, 'allow');
      throw error;
    }
    reply(frame, judged.answer);
    judged.after();
  };

  const takeTold = (frame: UpFrame): void => {
    const line = lines.get(frame.node)?.line;
    const now = clock.now();
    if (frame.kind === 'hello') {
      if (line?.hello(frame.boot, frame.seq, now)) handlers.hello(frame.node, frame.boot);
      return;
    }
    line?.took();
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
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      handlers.drop('internal-error');
      handlers.failed(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const handle = (frame: UpFrame, reply: Reply): void => {
    guarded(() => {
      if (frame.kind === 'ask') takeAsk(frame, reply);
      else takeTold(frame);
    });
  };

  return {
    take(bytes, kinds, reply) {
      const frame = parseUpFrame(bytes, secretOf);
      if (typeof frame === 'string') return handlers.drop(frame);
      if (kinds !== 'both' && (frame.kind === 'ask') !== (kinds === 'asks')) return handlers.drop('wrong-socket');
      handle(frame, reply);
    },
    handle,
    outcome(outcome) {
      guarded(() => {
        counts.tells += 1;
        handlers.outcome(outcome);
      });
    },
    silentMs(name) {
      const line = lines.get(name)?.line;
      return line === undefined || line.lastHello === 0 ? undefined : clock.now() - line.lastHello;
    },
    stats: () => ({ ...counts, lost: [...lines.values()].reduce((sum, { line }) => sum + line.lost, 0) }),
  };
};
