import { LRUCache } from 'lru-cache';
import type { EpochMs, Outcome, Request, UsedBy } from '../../model/index.ts';

/** Call-IDs, and users, that are remembered; the least recently seen make room. */
const MAX_KEYS = 20_000;
/** Of a key; the longest Call-IDs of phones have 80. What is longer is cut, when it is asked for as well. */
const MAX_KEY_CHARS = 128;
/** Sources of one key: a name that everybody tries is everybody's. */
const MAX_SOURCES = 8;

/** Events noted in a second: a flood would push everything out within seconds, and is not worth the time. */
const MAX_A_SECOND = 5_000;

interface Use {
  readonly ip: string;
  readonly first: EpochMs;
  last: EpochMs;
  events: number;
}

/**
 * Who used a Call-ID or a user name lately: an operator has one of these more often than an address. In memory only; those
 * of samples that are kept come back after a restart.
 */
export interface RecentUse {
  see(event: Request | Outcome): void;
  /** Newest first. */
  of(text: string): readonly UsedBy[];
  /** What a message of before a restart used; counts as one event, where nothing is known since. */
  restore(use: {
    readonly ip: string;
    readonly callId: string;
    readonly users: readonly string[];
    readonly at: EpochMs;
  }): void;
  readonly size: number;
  /** What was pushed out, and events that were not noted for their number. */
  readonly evicted: number;
}

/** A copy: a piece of a message would keep the whole of it in memory. */
export const copied = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

export const createRecentUse = (): RecentUse => {
  let evicted = 0;
  const table = () =>
    new LRUCache<string, Use[]>({
      max: MAX_KEYS,
      dispose: (_uses, _key, reason) => {
        if (reason === 'evict') evicted += 1;
      },
    });
  const second = { at: 0, events: 0 };
  const callIds = table();
  const users = table();

  const note = (index: LRUCache<string, Use[]>, text: string, ip: string, at: EpochMs): void => {
    if (text === '') return;
    const key = text.length > MAX_KEY_CHARS ? text.slice(0, MAX_KEY_CHARS) : text;
    const uses = index.get(key);
    if (uses === undefined) {
      index.set(copied(key), [{ ip, first: at, last: at, events: 1 }]);
      return;
    }
    const known = uses.find((use) => use.ip === ip);
    if (known !== undefined) {
      known.last = at;
      known.events += 1;
      return;
    }
    if (uses.length >= MAX_SOURCES) {
      evicted += 1;
      uses.splice(uses.indexOf(uses.reduce((oldest, use) => (use.last < oldest.last ? use : oldest))), 1);
    }
    uses.push({ ip, first: at, last: at, events: 1 });
  };

  const find = (as: UsedBy['as'], index: LRUCache<string, Use[]>, key: string): UsedBy[] =>
    (index.peek(key) ?? []).map((use) => ({ as, ...use }));

  return {
    see(event) {
      const { at } = event;
      const { ip } = event.source;
      const now = Math.floor(at / 1_000);
      if (second.at !== now) {
        second.at = now;
        second.events = 0;
      }
      second.events += 1;
      if (second.events > MAX_A_SECOND) {
        evicted += 1;
        return;
      }
      if (event.kind === 'request') {
        const { callId, from, authUser } = event.sip;
        note(callIds, callId, ip, at);
        note(users, from.user, ip, at);
        if (authUser !== from.user) note(users, authUser, ip, at);
        return;
      }
      if (event.type === 'parse-error') return;
      if (event.type === 'unacknowledged') return note(callIds, event.callId, ip, at);
      note(users, event.user, ip, at);
      if (event.type === 'auth' && event.claimed !== event.user) note(users, event.claimed, ip, at);
      if (event.type !== 'registered') note(callIds, event.callId, ip, at);
    },
    restore({ ip, callId, users: names, at }) {
      const unknown = (index: LRUCache<string, Use[]>, text: string): boolean =>
        !(index.peek(text.slice(0, MAX_KEY_CHARS)) ?? []).some((use) => use.ip === ip);
      if (unknown(callIds, callId)) note(callIds, callId, ip, at);
      for (const name of names) if (unknown(users, name)) note(users, name, ip, at);
    },
    of(text) {
      const key = text.slice(0, MAX_KEY_CHARS);
      return [...find('call-id', callIds, key), ...find('user', users, key)].sort((a, b) => b.last - a.last);
    },
    get size() {
      return callIds.size + users.size;
    },
    get evicted() {
      return evicted;
    },
  };
};
