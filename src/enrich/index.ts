/**
 * What is known about an event before anybody judges it. In: a request or outcome. Out: `Facts`. Looks things up in
 * what it was given at start (patterns, lists, own addresses); never does I/O, never judges, never changes the event.
 */
import type { Barred, Facts, FittingExploit, Outcome, Place, Request, Validity } from '../model/index.ts';
import { createPrivateRange } from './private-range.ts';
import { SCANNER_AGENTS, type AgentPattern } from './scanner-agents.ts';
import { createRecent } from './recent.ts';
import { compileAgents, matchAny, matchCanonical } from './user-agent.ts';
import { shippedTools, wireIdOf, type ToolMatcher } from './wire/index.ts';

export interface EnricherOptions {
  /** Patterns besides the built-in ones. */
  readonly extraAgents?: readonly AgentPattern[];
  /** The operator's lists, allow before deny. Takes a canonical address. */
  readonly lists: (ip: string) => Facts['list'];
  /** True for the addresses of the SIP server and of this machine. */
  readonly isOwn: (ip: string) => boolean;
  /** Recognises tools by how they build a message. Left out: the pack that comes with the package. */
  readonly tools?: ToolMatcher;
  /** What the operator's policy makes of the rules that a request breaks. Left out: nobody looks. */
  readonly validity?: (request: Request) => Validity | undefined;
  /** The virtual patch that stops a request. Left out: none does. */
  readonly exploit?: (request: Request) => FittingExploit | undefined;
  /** Whether a feed knows a called number from attackers. Left out: none does. */
  readonly listedNumber?: (number: string) => boolean;
  /** Country and network of an address, and what stands against it for them or in a feed. */
  readonly background?: (ip: string) => {
    readonly place: Place | undefined;
    readonly barred: Barred | undefined;
  };
}

/** The server knows who it is: nobody accuses them of how their messages are built, so nobody needs to look. */
const isCustomer = ({ standing }: Request): boolean => standing === 'good' || standing === 'in-dialog';

/** Builds the enricher: compiles all patterns once. */
export const createEnricher = (options: EnricherOptions): ((event: Request | Outcome) => Facts) => {
  const match = compileAgents([...SCANNER_AGENTS, ...(options.extraAgents ?? [])]);
  const agentOf = createRecent((agent) => matchCanonical(agent, match));
  const isPrivateRange = createPrivateRange();
  const tools = options.tools ?? shippedTools();
  return (event) => {
    const { ip } = event.source;
    const behind = options.background?.(ip);
    return {
      list: options.lists(ip),
      own: options.isOwn(ip),
      privateRange: isPrivateRange(ip),
      place: behind?.place,
      barred: behind?.barred,
      listedNumber:
        event.kind === 'request' && event.sip.method === 'INVITE'
          ? options.listedNumber?.(event.sip.requestUser)
          : undefined,
      agent: event.kind === 'request' ? matchAny(event.sip.userAgents, agentOf) : null,
      validity: event.kind === 'request' ? options.validity?.(event) : undefined,
      exploit: event.kind === 'request' ? options.exploit?.(event) : undefined,
      fingerprint: event.kind === 'request' && !isCustomer(event) ? tools(event.sip) : null,
      wire: event.kind === 'request' && !isCustomer(event) ? () => wireIdOf(event.sip) : undefined,
    };
  };
};

export * from './geo/index.ts';
export * from './networks/index.ts';
export { createPrivateRange, embeddingsOf } from './private-range.ts';
export { PrefixMap } from './prefix-map.ts';
export { SCANNER_AGENTS, type AgentPattern, type AlarmRisk } from './scanner-agents.ts';
export * from './wire/index.ts';
