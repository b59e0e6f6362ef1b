/**
 * What is known about an event before anybody judges it. In: a request or outcome. Out: `Facts`. Looks things up in
 * what it was given at start (patterns, lists, own addresses); never does I/O, never judges, never changes the event.
 */
import type { Barred, Facts, Outcome, Place, Request, SipView } from '../model/index.ts';
import { readFingerprint } from './fingerprint/index.ts';
import { createPrivateRange } from './private-range.ts';
import { SCANNER_AGENTS, type AgentPattern } from './scanner-agents.ts';
import { compileAgents, type AgentMatch } from './user-agent.ts';

export interface EnricherOptions {
  /** Patterns besides the built-in ones. */
  readonly extraAgents?: readonly AgentPattern[];
  /** The operator's lists, allow before deny. Takes a canonical address. */
  readonly lists: (ip: string) => Facts['list'];
  /** True for the addresses of the SIP server and of this machine. */
  readonly isOwn: (ip: string) => boolean;
  /** Country and network of an address, and what stands against it for them or in a feed. */
  readonly background?: (ip: string) => {
    readonly place: Place | undefined;
    readonly barred: Barred | undefined;
  };
}

const USER_AGENT = 'user-agent';

/** Matches each User-Agent line of the message: a second one must not hide the first, nor the other way round. */
const matchAgents = (sip: SipView, match: (text: string) => AgentMatch | null): AgentMatch | null => {
  if (sip.userAgent === '') return null;
  const first = match(sip.userAgent);
  if (first !== null) return first;
  let lines = 0;
  for (const { name, value } of sip.headers) {
    if (name.length !== USER_AGENT.length || name.toLowerCase() !== USER_AGENT) continue;
    lines += 1;
    const found = lines > 1 ? match(value) : null;
    if (found !== null) return found;
  }
  return null;
};

/** Builds the enricher: compiles all patterns once. */
export const createEnricher = (options: EnricherOptions): ((event: Request | Outcome) => Facts) => {
  const match = compileAgents([...SCANNER_AGENTS, ...(options.extraAgents ?? [])]);
  const isPrivateRange = createPrivateRange();
  return (event) => {
    const { ip } = event.source;
    const behind = options.background?.(ip);
    return {
      list: options.lists(ip),
      own: options.isOwn(ip),
      privateRange: isPrivateRange(ip),
      place: behind?.place,
      barred: behind?.barred,
      agent: event.kind === 'request' ? matchAgents(event.sip, match) : null,
      fingerprint: event.kind === 'request' ? readFingerprint(event.sip) : null,
    };
  };
};

export * from './geo/index.ts';
export { createPrivateRange } from './private-range.ts';
export { PrefixMap } from './prefix-map.ts';
export { SCANNER_AGENTS, type AgentPattern, type AlarmRisk } from './scanner-agents.ts';
