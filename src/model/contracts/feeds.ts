import type { EpochMs } from '../time.ts';

/** A feed that was switched by hand. */
export interface FeedSwitch {
  readonly on: boolean;
  readonly at: EpochMs;
  readonly by: string;
  /** What the configuration said then: when it says something else, it is the newer word. */
  readonly configured: boolean;
}

/** One feed of other people's attackers. */
export interface FeedRow {
  readonly name: string;
  readonly type: string;
  readonly on: boolean;
  /** Who switched it by hand, and when; null: it is as the configuration says. */
  readonly switched: { readonly by: string; readonly at: EpochMs } | null;
  readonly action: 'ban' | 'challenge' | 'log';
  /** Addresses, networks and numbers that it lists. */
  readonly entries: number;
  /** When it was last read; null: never since the start. */
  readonly updatedAt: EpochMs | null;
  /** Why it could not be read the last time; empty when it could. */
  readonly lastError: string;
  /** Entries of the last reading that would have hit somebody of ours. */
  readonly hits: number;
  /** Entries that were left out, by reason. */
  readonly left: Readonly<Record<string, number>>;
}

/** A ban as others may take it over. */
export interface PublishedBan {
  /** An address or a network. */
  readonly value: string;
  readonly reason: string;
  readonly until: EpochMs | null;
}

/** What is new since the same reader asked last; `whole`: everything that stands. */
export interface PublishedBans {
  readonly whole: boolean;
  readonly added: readonly PublishedBan[];
  readonly gone: readonly PublishedBan[];
}

export interface FeedOperations {
  feedList(): Promise<readonly FeedRow[]>;
  /** Starts to read a feed, or all of them; never waits for it. @throws CompanionError NOT_FOUND */
  feedUpdate(name: string | undefined): Promise<readonly FeedRow[]>;
  /** Listens to a feed or not, until the configuration says something new. @throws CompanionError NOT_FOUND */
  feedSwitch(name: string, on: boolean, author: string): Promise<readonly FeedRow[]>;
  /** Bans of this companion for others; never what feeds say. */
  publishedBans(reader: string, whole: boolean): Promise<PublishedBans>;
}
