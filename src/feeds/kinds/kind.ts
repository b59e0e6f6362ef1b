import type { Clock } from '../../model/index.ts';
import type { NameResolver } from '../names/index.ts';
import type { Http } from '../http.ts';
import type { Protected, Protection } from '../sift/index.ts';

/** What an alarm says of a feed that tried to hit what it must not. */
export interface Hits {
  readonly count: number;
  readonly named: readonly string[];
}

/** What a poll has brought. */
export interface Polled {
  /** Entries that were left out because they would have hit somebody. */
  readonly hits: Hits;
  /** Left out for other reasons, by reason. */
  readonly left: Readonly<Record<string, number>>;
  /** Everything that it lists was read, not only what is new: what was left out earlier is over when it is not left out now. */
  readonly whole?: boolean | undefined;
  /** Left out: what it lists may have changed. */
  readonly same?: boolean | undefined;
  /** Look again after this long at least: the server said so. */
  readonly waitMs?: number | undefined;
}

/** What a feed says of an address. */
export interface Listed {
  /** Epoch milliseconds; null: as long as it says so. */
  readonly until: number | null;
  /** It has said so for longer than one feed alone is believed. */
  readonly long: boolean;
  /** It lists the whole of a provider around it: no reason to ban. */
  readonly wide?: boolean | undefined;
}

/** What all kinds of feeds have in common. */
export interface Feed {
  /** Addresses and networks that it lists. */
  readonly size: number;
  /** Asks for what is new. Rejects with an Error in a few words; everything is as it was then. */
  poll(): Promise<Polled>;
  /** Whether it lists a canonical address. */
  listed(ip: string): Listed | undefined;
  /** Numbers that somebody calls who should not. */
  hasNumber?(number: string): boolean;
  /** A stranger has come: for feeds that are asked about one address at a time. */
  see?(ip: string): void;
  /** What survives a restart; undefined when nothing does. */
  save?(): string;
}

export interface FeedParts {
  readonly name: string;
  readonly clock: Clock;
  readonly http: Http;
  readonly resolver: NameResolver;
  /** What no feed may hit, as it is now: for long lists. */
  readonly protectedNow: () => readonly Protected[];
  /** The same, to ask about one entry after the other. */
  readonly protection: () => Protection;
  /** For how long the word of one feed alone is enough (milliseconds). */
  readonly aloneMs: () => number;
  /** What `save` gave before the last restart. */
  readonly saved: string | undefined;
  /** What it lists has changed between polls. */
  readonly changed: () => void;
}

/** Of a poll that left nothing out. */
export const NOTHING_LEFT: Polled = { hits: { count: 0, named: [] }, left: {}, same: true };

export const parseJson = (body: Buffer, from: string): unknown => {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new Error(`${from} answered something that is no JSON`, { cause: error });
  }
};

export const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
