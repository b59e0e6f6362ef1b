import { LRUCache } from 'lru-cache';
import type { Outcome, Request } from '../../model/index.ts';

/** Strangers whose last User-Agent is remembered, and how much of it. */
const MAX_SOURCES = 20_000;
const MAX_CHARS = 100;

/** With what program a source came: a ban that follows from a failed password names the tool all the same. */
export interface LastAgents {
  see(event: Request | Outcome): void;
  of(identity: string): string;
}

export const createLastAgents = (): LastAgents => {
  const agents = new LRUCache<string, string>({ max: MAX_SOURCES });
  return {
    see(event) {
      if (event.kind !== 'request' || event.standing === 'good' || event.sip.userAgent === '') return;
      agents.set(event.source.identity, event.sip.userAgent.slice(0, MAX_CHARS));
    },
    of: (identity) => agents.peek(identity) ?? '',
  };
};
