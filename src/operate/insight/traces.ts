import { CompanionError, MAX_SHOWN_CHARS, identityOf } from '../../model/index.ts';
import type { Outcome, Request, TraceEvent, Verdict } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import { wireIdOf, type ToolMatcher } from '../../enrich/index.ts';

/** Each costs work for every packet of its source; an operator looks at a few. */
const MAX_TRACES = 16;

type Listener = (event: TraceEvent) => void;

/** Live views of single sources: what is judged of them, also when nothing follows from it. */
export interface Traces {
  /** Called for everything that is judged; costs one comparison while nobody traces. */
  see(event: Request | Outcome, verdict: Verdict): void;
  /** @throws CompanionError REQUEST_INVALID when too many run */
  open(ip: string, listener: Listener): () => void;
  readonly running: number;
}

const cut = (text: string): string => text.slice(0, MAX_SHOWN_CHARS);

/** What happened, whoever reported it. */
const whatOf = (event: Request | Outcome): Pick<TraceEvent, 'what' | 'user' | 'target' | 'userAgent'> => {
  if (event.kind === 'request') {
    const { method, from, requestUser, userAgent } = event.sip;
    return { what: cut(method), user: cut(from.user), target: cut(requestUser), userAgent: cut(userAgent) };
  }
  const nobody = { user: '', target: '', userAgent: '' };
  switch (event.type) {
    case 'auth':
      return { ...nobody, what: cut(`auth ${event.result} (${event.method})`), user: cut(event.user) };
    case 'registered':
      return { ...nobody, what: `registered for ${event.expiresSeconds} s`, user: cut(event.user) };
    case 'reply':
      return {
        ...nobody,
        what: cut(`reply ${event.code} (${event.method})`),
        user: cut(event.user),
        target: cut(event.target),
      };
    case 'unacknowledged':
      return { ...nobody, what: 'no ACK within 32 s' };
    case 'parse-error':
      return { ...nobody, what: `${event.sizeBytes} bytes that are not SIP` };
  }
};

const changesOf = (verdict: Verdict): string[] =>
  verdict.changes.map(({ op, entry }) => (op === 'put' ? entry.kind : `lift ${entry.kind}`));

/**
 * @param everything hears of every source: for `--debug`, at the cost of a line for each packet
 * @param toolOf names the tool that builds such messages
 */
export const createTraces = (judge: Judge, everything?: Listener, toolOf: ToolMatcher = () => null): Traces => {
  const bySource = new Map<string, Set<Listener>>();
  let running = 0;

  const eventOf = (event: Request | Outcome, verdict: Verdict): TraceEvent => {
    const { ip, port, transport, identity } = event.source;
    return {
      at: event.at,
      node: event.node,
      ip,
      port,
      transport,
      tier: event.tier,
      ...whatOf(event),
      wire: event.kind === 'request' ? wireIdOf(event.sip) : '',
      tool: (event.kind === 'request' ? toolOf(event.sip)?.tool : undefined) ?? '',
      credentials: event.kind === 'request' ? event.credentials : '',
      standing: event.kind === 'request' ? event.standing : '',
      state: verdict.state,
      answer: event.kind === 'request' ? verdict.answer : '',
      reason: verdict.reason,
      findings: verdict.findings.map(({ rule, points, evidence }) => ({ rule, points, evidence: cut(evidence) })),
      changes: changesOf(verdict),
      score: judge.report(identity, 'none', event.at).score,
    };
  };

  return {
    get running() {
      return running;
    },
    see(event, verdict) {
      everything?.(eventOf(event, verdict));
      if (running === 0) return;
      const listeners = bySource.get(event.source.identity);
      if (listeners === undefined) return;
      const traced = eventOf(event, verdict);
      for (const listener of listeners) listener(traced);
    },
    open(ip, listener) {
      if (running >= MAX_TRACES)
        throw new CompanionError('REQUEST_INVALID', `${MAX_TRACES} traces run already. End one of them first.`);
      const identity = identityOf(ip);
      const listeners = bySource.get(identity) ?? new Set();
      const mine: Listener = (event) => listener(event);
      listeners.add(mine);
      bySource.set(identity, listeners);
      running += 1;
      return () => {
        if (!listeners.delete(mine)) return;
        running -= 1;
        if (listeners.size === 0) bySource.delete(identity);
      };
    },
  };
};
