import type { ProofTier } from './source.ts';
import type { EpochMs } from './time.ts';

/** null means: no end. */
export type Until = EpochMs | null;

/** Who put an entry there. `foreign`: found in the server's own table, adopted, never deleted by us. `feed`: somebody else's list. */
export type Origin = 'detector' | 'operator' | 'foreign' | 'feed';

/** One line of proof behind an entry. `text` may quote attacker's text (bounded, escaped where shown). */
export interface Evidence {
  readonly at: EpochMs;
  readonly rule: string;
  readonly tier: ProofTier;
  readonly points: number;
  readonly text: string;
}

interface EntryBase {
  readonly since: EpochMs;
  readonly until: Until;
  readonly origin: Origin;
  readonly reason: string;
}

/** `subject`: an identity (IPv4 address, IPv6 /64) or a CIDR. */
export interface BanEntry extends EntryBase {
  readonly kind: 'ban';
  readonly subject: string;
  /** Rung of the ladder: 1 for the first ban. 0 for bans by hand. */
  readonly level: number;
  readonly rules: readonly string[];
  readonly evidence: readonly Evidence[];
}

export interface QuarantineEntry extends EntryBase {
  readonly kind: 'quarantine';
  readonly subject: string;
  readonly rules: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** Over-limit requests of this (proven) source are dropped. */
export interface ThrottleEntry extends EntryBase {
  readonly kind: 'throttle';
  readonly subject: string;
  readonly perSecond: number;
}

/** Attempts with credentials for this user from this source (from this port of it): one in `intervalSeconds`. */
export interface UserThrottleEntry extends EntryBase {
  readonly kind: 'throttle-user';
  readonly subject: string;
  readonly user: string;
  /** Left out: any port. */
  readonly port?: number | undefined;
  readonly intervalSeconds: number;
}

/** A user who authenticated from exactly this address and port. */
export interface GoodEntry extends EntryBase {
  readonly kind: 'good';
  readonly ip: string;
  readonly port: number;
  readonly user: string;
}

/** Operator's lists. `subject`: a CIDR in canonical form (single addresses as /32, /128). */
export interface ListEntry extends EntryBase {
  readonly kind: 'allow' | 'deny';
  readonly subject: string;
  readonly note: string;
  readonly author: string;
  /** Of an allow entry: the peer that it belongs to. */
  readonly peer?: string | undefined;
  /** Of a peer: companion looks at what it sends, so that a server must not let it pass unasked. */
  readonly checked?: boolean | undefined;
}

/** What should be enforced: one line of the ledger. */
export type Entry = BanEntry | QuarantineEntry | ThrottleEntry | UserThrottleEntry | GoodEntry | ListEntry;

/** The key under which the ledger holds an entry: one entry per key. */
export const entryKey = (entry: Entry): string => {
  switch (entry.kind) {
    case 'good':
      return `good ${entry.ip} ${entry.port} ${entry.user}`;
    case 'throttle-user':
      return `throttle-user ${entry.subject} ${entry.port ?? '*'} ${entry.user}`;
    case 'ban':
    case 'quarantine':
    case 'throttle':
    case 'allow':
    case 'deny':
      return `${entry.kind} ${entry.subject}`;
  }
};
