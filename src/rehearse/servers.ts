import { isParseFault, parseSip } from '../protocol/index.ts';
import type { CapturedMessage, Endpoint } from '../protocol/index.ts';

/** Messages that are looked at before the first is judged. */
export const SURVEY_MESSAGES = 20_000;
/** Hosts that are told apart while looking; a flood from forged addresses needs no more of them. */
const MAX_HOSTS = 50_000;
const MAX_PEERS = 1_000;

interface Host {
  readonly ip: string;
  registersIn: number;
  requestsIn: number;
  /** Whoever sent it requests. */
  readonly askedBy: Set<string>;
  readonly peers: Set<string>;
}

/** The side of a capture that was attacked: requests to it are judged, its own are not. */
export class Servers {
  /** Ports on which each server was seen to receive requests. */
  readonly #ports = new Map<string, Set<number>>();
  /** Who was seen to reply to anybody. */
  readonly #heard = new Set<string>();
  readonly #fixed: boolean;

  /** @param named the operator said so: nobody else is one */
  constructor(named: readonly string[] = []) {
    this.#fixed = named.length > 0;
    for (const ip of named) this.#ports.set(ip, new Set());
  }

  get addresses(): readonly string[] {
    return [...this.#ports.keys()];
  }

  has(ip: string): boolean {
    return this.#ports.has(ip);
  }

  /** Whether requests were seen to go to exactly this port. */
  listens({ ip, port }: Endpoint): boolean {
    return this.#ports.get(ip)?.has(port) === true;
  }

  /** Nothing of what it says was captured: the capture holds one direction only. */
  isUnheard(ip: string): boolean {
    return !this.#heard.has(ip);
  }

  /** It has replied to somebody. */
  heard(ip: string): void {
    if (this.#heard.size < MAX_HOSTS) this.#heard.add(ip);
  }

  /** Which way a message goes. On one machine the port decides. */
  direction({ from, to }: CapturedMessage): 'in' | 'out' | 'between' | 'none' {
    const sent = this.has(from.ip);
    if (!this.has(to.ip)) return sent ? 'out' : 'none';
    if (!sent) return 'in';
    if (from.ip !== to.ip) return 'between';
    return this.listens(from) ? 'out' : 'in';
  }

  /** A request went there. */
  received({ ip, port }: Endpoint): void {
    const ports = this.#ports.get(ip);
    // ports are few; a scan of all of them would not be
    if (ports !== undefined && ports.size < 64) ports.add(port);
  }

  /** A request between two hosts that are both no server as yet: the one that it went to is. */
  learn(to: Endpoint): boolean {
    if (this.#fixed || this.#ports.size >= MAX_HOSTS) return false;
    this.#ports.set(to.ip, new Set([to.port]));
    return true;
  }

  /**
   * Finds the servers among the first messages. Phones receive requests as well, and servers send them: registrars come
   * first, then who talks to most others; whoever was only asked by those is no server.
   */
  survey(messages: readonly CapturedMessage[]): void {
    const hosts = new Map<string, Host>();
    const hostOf = (ip: string): Host | undefined => {
      const known = hosts.get(ip);
      if (known !== undefined || hosts.size >= MAX_HOSTS) return known;
      const host = { ip, registersIn: 0, requestsIn: 0, askedBy: new Set<string>(), peers: new Set<string>() };
      hosts.set(ip, host);
      return host;
    };
    for (const { from, to, bytes } of messages) {
      const parsed = parseSip(bytes);
      if (isParseFault(parsed)) continue;
      if (parsed.start.kind === 'reply') this.heard(from.ip);
      if (this.#fixed || parsed.start.kind !== 'request' || from.ip === to.ip) continue;
      const { method } = parsed.start;
      if (method === 'ACK' || method === 'CANCEL' || method === 'BYE') continue;
      const receiver = hostOf(to.ip);
      if (receiver === undefined) continue;
      receiver.requestsIn += 1;
      if (method === 'REGISTER') receiver.registersIn += 1;
      if (receiver.askedBy.size < MAX_PEERS) receiver.askedBy.add(from.ip);
      if (receiver.peers.size < MAX_PEERS) receiver.peers.add(from.ip);
      const sender = hostOf(from.ip);
      if (sender !== undefined && sender.peers.size < MAX_PEERS) sender.peers.add(to.ip);
    }
    const candidates = [...hosts.values()]
      .filter(({ requestsIn }) => requestsIn > 0)
      .toSorted(
        (a, b) =>
          Math.sign(b.registersIn) - Math.sign(a.registersIn) ||
          b.peers.size - a.peers.size ||
          b.requestsIn - a.requestsIn,
      );
    for (const { ip, askedBy } of candidates)
      if ([...askedBy].some((asker) => !this.has(asker))) this.#ports.set(ip, new Set());
  }
}
