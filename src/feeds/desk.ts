import { mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CompanionError, formatDuration } from '../model/index.ts';
import type { Barred, Clock, FeedRow, FeedSwitch } from '../model/index.ts';
import { createHttp } from './http.ts';
import { createFeed } from './kinds/index.ts';
import type { Feed, Hits, KindSettings, Polled } from './kinds/index.ts';
import type { NameResolver } from './names/index.ts';
import { createAgents } from './outward.ts';
import { createProtection } from './sift/index.ts';
import type { Protected, Protection } from './sift/index.ts';

export type FeedSettings = KindSettings & {
  readonly name: string;
  readonly enabled: boolean;
  readonly action: 'ban' | 'challenge' | 'log';
  /** Milliseconds between two polls. */
  readonly every: number;
};

export interface FeedPolicy {
  readonly quorum: number;
  readonly alone_for: number;
}

export interface FeedDeskParts {
  readonly clock: Clock;
  readonly resolver: NameResolver;
  /** Where feeds keep what must survive a restart. */
  readonly directory: string;
  /** What no feed may hit: allow entries, peers, own addresses; `customers`: with the addresses of registered phones. */
  readonly protectedNow: (customers: boolean) => readonly Protected[];
  /** A canonical address from which somebody is registered. */
  readonly isCustomer: (ip: string) => boolean;
  readonly alarm: (name: string, problem: string | undefined) => void;
  /** Feeds that were switched by hand, kept over restarts. */
  readonly switches: {
    of(name: string): FeedSwitch | undefined;
    names(): readonly string[];
    put(name: string, to: FeedSwitch): void;
    drop(name: string): void;
  };
  /** What feeds list may be another thing now. */
  readonly changed: () => void;
}

/** What the feeds together say of an address. */
export interface Listing extends Barred {
  readonly feeds: readonly string[];
  /** Epoch milliseconds; null: as long as they say so. */
  readonly until: number | null;
}

export interface FeedDesk {
  /** Other feeds from now on; those that stay as they are go on. */
  use(feeds: readonly FeedSettings[], policy: FeedPolicy): void;
  listing(ip: string): Listing | undefined;
  hasNumber(number: string): boolean;
  /** A stranger has come. */
  see(ip: string): void;
  rows(): readonly FeedRow[];
  /** Polls now; all of them without a name. @throws CompanionError NOT_FOUND */
  update(name: string | undefined): void;
  /** Listens to a feed or not, until its `enabled` is changed in the configuration. @throws CompanionError NOT_FOUND */
  switch(name: string, on: boolean, by: string): void;
  /** Polls what is due, and ends when that has ended. */
  look(): Promise<void>;
  stats(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

interface Running {
  settings: FeedSettings;
  readonly feed: Feed;
  on: boolean;
  dueAt: number;
  busy: boolean;
  failures: number;
  lastError: string;
  updatedAt: number | null;
  polled: Polled | undefined;
  hits: Hits;
  hitsAt: number;
}

const NO_HITS: Hits = { count: 0, named: [] };
const HITS_MS = 86_400_000;
const LOOK_MS = 1_000;
const LONGEST_RETRY_MS = 3_600_000;
const MAX_BACKOFF = 8;
/** What is protected is gathered anew this often; registered phones are asked for each time. */
const PROTECTION_MS = 30_000;
/** Entries end by themselves: whoever keeps what feeds say asks again after this time at the latest. */
const CHANGED_MS = 60_000;
const MAX_SAVED_BYTES = 128 * 1024 * 1024;

const notFound = (name: string): CompanionError =>
  new CompanionError('NOT_FOUND', `There is no feed '${name.slice(0, 40)}'. 'companion feed list' shows them.`);

/** Settings that make it another feed: what it knows is worth nothing then. */
const identityOf = ({ enabled: _enabled, action: _action, every: _every, ...rest }: FeedSettings): string =>
  JSON.stringify(rest);

/** Runs the feeds: polls them, keeps what they say, and says what they say together. Nobody waits for any of it. */
export const createFeedDesk = (parts: FeedDeskParts): FeedDesk => {
  const { clock, directory } = parts;
  const agents = createAgents();
  const http = createHttp(agents);
  const running = new Map<string, Running>();
  let policy: FeedPolicy = { quorum: 2, alone_for: 86_400_000 };
  let stopped = false;
  let changedAt = -Infinity;
  const startedAt = clock.now();
  let protection: { readonly at: number; readonly value: Protection } | undefined;

  const protectionNow = (): Protection => {
    if (protection === undefined || clock.now() - protection.at > PROTECTION_MS)
      protection = { at: clock.now(), value: createProtection(parts.protectedNow(false), parts.isCustomer) };
    return protection.value;
  };

  const fileOf = (name: string): string => join(directory, `${name}.json`);
  const readSaved = (name: string): string | undefined => {
    try {
      const text = readFileSync(fileOf(name), 'utf8');
      return text.length > MAX_SAVED_BYTES ? undefined : text;
    } catch {
      return undefined; // fetched from the start then
    }
  };
  const save = async (name: string, text: string): Promise<void> => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const beside = `${fileOf(name)}.new`;
    const handle = await open(beside, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, fileOf(name));
  };

  /** By hand or as configured: the newer word wins. A change of `enabled` is one, a restart or another reload is none. */
  const isOn = ({ name, enabled }: FeedSettings): boolean => {
    const byHand = parts.switches.of(name);
    if (byHand === undefined) return enabled;
    if (byHand.configured === enabled) return byHand.on;
    parts.switches.drop(name);
    return enabled;
  };

  const begin = (settings: FeedSettings): Running => {
    const feed = createFeed(
      {
        name: settings.name,
        clock,
        http,
        resolver: parts.resolver,
        protectedNow: () => parts.protectedNow(true),
        protection: protectionNow,
        aloneMs: () => policy.alone_for,
        saved: readSaved(settings.name),
        changed: parts.changed,
      },
      settings,
    );
    return {
      settings,
      feed,
      on: isOn(settings),
      dueAt: 0,
      busy: false,
      failures: 0,
      lastError: '',
      updatedAt: null,
      polled: undefined,
      hits: NO_HITS,
      hitsAt: 0,
    };
  };

  /** What is left out once stays an alarm until it is over, or a day has passed: nobody looks every four minutes. */
  const tellHits = (one: Running): void => {
    const { name } = one.settings;
    const now = one.polled?.hits ?? NO_HITS;
    if (now.count > 0 || one.polled?.whole === true || clock.now() - one.hitsAt > HITS_MS) {
      one.hits = now;
      one.hitsAt = clock.now();
    }
    const { hits } = one;
    parts.alarm(
      `feed ${name}`,
      hits.count === 0
        ? undefined
        : `lists ${hits.count} of ours, which were left out: ${hits.named.join('; ')}. Is it poisoned? 'companion feed off ${name}' turns it off`,
    );
  };

  const poll = async (one: Running): Promise<void> => {
    const { name, every } = one.settings;
    one.busy = true;
    try {
      one.polled = await one.feed.poll();
      const saved = one.feed.save?.();
      if (saved !== undefined && !stopped) await save(name, saved);
      one.failures = 0;
      one.lastError = '';
      one.updatedAt = clock.now();
      one.dueAt = clock.now() + Math.max(every, one.polled.waitMs ?? 0);
      if (!one.on || running.get(name) !== one) return;
      tellHits(one);
      if (one.polled.same === true && clock.now() - changedAt < CHANGED_MS) return;
      changedAt = clock.now();
      parts.changed();
    } catch (error) {
      if (stopped || running.get(name) !== one) return;
      one.failures += 1;
      one.lastError = error instanceof Error ? error.message : String(error);
      const backoff = Math.min(LONGEST_RETRY_MS, every * 2 ** Math.min(MAX_BACKOFF, one.failures - 1));
      one.dueAt = clock.now() + Math.max(every, backoff);
      const since =
        one.updatedAt === null
          ? 'It was not read since the start'
          : `Last read: ${formatDuration(clock.now() - one.updatedAt)} ago; what it said then goes on`;
      parts.alarm(`feed ${name}`, `cannot be read: ${one.lastError}. ${since}`);
    } finally {
      one.busy = false;
    }
  };

  const look = async (): Promise<void> => {
    const due = [...running.values()].filter((one) => one.on && !one.busy && one.dueAt <= clock.now());
    await Promise.all(due.map(poll));
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();

  const switchedOf = (name: string): FeedRow['switched'] => {
    const byHand = parts.switches.of(name);
    return byHand === undefined ? null : { by: byHand.by, at: byHand.at };
  };
  const named = (name: string): Running => {
    const one = running.get(name);
    if (one === undefined) throw notFound(name);
    return one;
  };

  return {
    use(feeds, nextPolicy) {
      policy = nextPolicy;
      const wanted = new Map(feeds.map((settings) => [settings.name, settings]));
      for (const [name, one] of running) {
        const next = wanted.get(name);
        if (next !== undefined && identityOf(next) === identityOf(one.settings)) continue;
        running.delete(name);
        parts.alarm(`feed ${name}`, undefined);
      }
      for (const name of parts.switches.names()) if (!wanted.has(name)) parts.switches.drop(name);
      for (const [name, settings] of wanted) {
        const one = running.get(name);
        if (one === undefined) running.set(name, begin(settings));
        else {
          one.settings = settings;
          one.on = isOn(settings);
          if (!one.on) parts.alarm(`feed ${name}`, undefined);
        }
      }
      parts.changed();
    },
    listing(ip) {
      let until: number | null = 0;
      let fresh = false;
      let bans = false;
      const feeds: string[] = [];
      for (const { on, settings, feed } of running.values()) {
        if (!on || settings.action === 'log') continue;
        const found = feed.listed(ip);
        if (found === undefined) continue;
        feeds.push(settings.name);
        fresh ||= !found.long;
        bans ||= settings.action === 'ban' && found.wide !== true;
        until = until === null || found.until === null ? null : Math.max(until, found.until);
      }
      if (feeds.length === 0) return undefined;
      // what few have said for long is not enough to shut somebody out for ever
      const agreed = fresh || feeds.length >= policy.quorum;
      return {
        state: bans && agreed ? 'banned' : 'quarantined',
        reason: `listed by ${feeds.slice(0, 5).join(', ')}`,
        feeds,
        until,
      };
    },
    hasNumber: (number) => [...running.values()].some(({ on, feed }) => on && feed.hasNumber?.(number) === true),
    see(ip) {
      for (const { on, feed } of running.values()) if (on) feed.see?.(ip);
    },
    rows: () =>
      [...running.values()].map(({ settings, feed, on, updatedAt, lastError, polled, hits }) => ({
        name: settings.name,
        type: settings.type,
        on,
        switched: switchedOf(settings.name),
        action: settings.action,
        entries: feed.size,
        updatedAt,
        lastError,
        hits: hits.count,
        left: polled?.left ?? {},
      })),
    update(name) {
      for (const one of name === undefined ? running.values() : [named(name)]) one.dueAt = 0;
      void look();
    },
    switch(name, on, by) {
      const one = named(name);
      one.on = on;
      const { enabled: configured } = one.settings;
      if (on === configured) parts.switches.drop(name);
      else parts.switches.put(name, { on, by, at: clock.now(), configured });
      if (on) one.dueAt = 0;
      else parts.alarm(`feed ${name}`, undefined);
      parts.changed();
    },
    look,
    stats: () => {
      const all = [...running.values()];
      const ages = all.filter(({ on }) => on).map(({ updatedAt }) => clock.now() - (updatedAt ?? startedAt));
      return {
        feeds: all.filter(({ on }) => on).length,
        entries: all.reduce((sum, { on, feed }) => sum + (on ? feed.size : 0), 0),
        failing: all.filter(({ failures }) => failures > 0).length,
        hits: all.reduce((sum, { hits }) => sum + hits.count, 0),
        oldest_seconds: Math.floor(Math.max(0, ...ages) / 1_000),
      };
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await agents.destroy();
    },
  };
};
