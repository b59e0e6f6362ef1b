import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeedSwitch } from '../../../../src/model/index.ts';
import { createFeedDesk } from '../../../../src/feeds/index.ts';
import type { FeedDesk, FeedSettings, NameResolver, Protected } from '../../../../src/feeds/index.ts';
import { fakeServer } from '../fake-server.ts';
import type { FakeServer } from '../fake-server.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface FeedBench {
  readonly server: FakeServer;
  readonly clock: { at: number; now: () => number };
  readonly alarms: Map<string, string>;
  /** Addresses, networks and what they are. */
  protect: Protected[];
  readonly customers: Set<string>;
  readonly zone: Record<string, readonly string[] | Error>;
  readonly changed: () => number;
  desk: FeedDesk;
  /** Another desk on the same state, as after a restart. */
  restart(...feeds: readonly object[]): Promise<void>;
  use(...feeds: readonly object[]): void;
  close(): Promise<void>;
}

/** A desk of feeds on a clock that stands still, beside somebody else's server. */
export const feedBench = async (policy = { quorum: 2, alone_for: DAY }): Promise<FeedBench> => {
  const directory = mkdtempSync(join(tmpdir(), 'feeds-'));
  const server = await fakeServer(() => ({ status: 404 }));
  const clock = { at: Date.UTC(2026, 10, 20), now: (): number => clock.at };
  const alarms = new Map<string, string>();
  const customers = new Set<string>();
  const zone: Record<string, readonly string[] | Error> = {};
  const byHand = new Map<string, FeedSwitch>();
  let changes = 0;
  const resolver: NameResolver = {
    addresses: (name) => {
      const found = zone[name] ?? new Error('there is no such name');
      return found instanceof Error ? Promise.reject(found) : Promise.resolve({ ips: found, ttlMs: HOUR });
    },
    services: () => Promise.resolve([]),
  };
  const open = (): FeedDesk =>
    createFeedDesk({
      clock,
      resolver,
      directory,
      protectedNow: (withCustomers) => [
        ...bench.protect,
        ...(withCustomers ? [...customers].map((subject) => ({ subject, what: 'a registered phone' })) : []),
      ],
      switches: {
        of: (name) => byHand.get(name),
        names: () => [...byHand.keys()],
        put: (name, to) => void byHand.set(name, to),
        drop: (name) => void byHand.delete(name),
      },
      isCustomer: (ip) => customers.has(ip),
      alarm: (name, problem) => void (problem === undefined ? alarms.delete(name) : alarms.set(name, problem)),
      changed: () => (changes += 1),
    });
  const settingsOf = (feed: object): FeedSettings =>
    ({ enabled: true, action: 'ban', every: 4 * MINUTE, name: 'x', url: server.url, ...feed }) as FeedSettings;
  const bench: FeedBench = {
    server,
    clock,
    alarms,
    protect: [],
    customers,
    zone,
    changed: () => changes,
    desk: undefined as never,
    use: (...feeds) => bench.desk.use(feeds.map(settingsOf), policy),
    async restart(...feeds) {
      await bench.desk.stop();
      bench.desk = open();
      bench.use(...feeds);
    },
    async close() {
      await bench.desk.stop();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  bench.desk = open();
  return bench;
};
