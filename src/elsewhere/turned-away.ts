import { LRUCache } from 'lru-cache';
import type { AuditLine, Barred, Clock, Place } from '../model/index.ts';

/** A source is told once in this time, and so many sources are remembered. */
const REPEAT_MS = 3_600_000;
const MAX_SOURCES = 20_000;
/** A botnet has more sources than a log has room. */
const LINES_A_MINUTE = 60;
const MINUTE_MS = 60_000;

export interface TurnedAwayParts {
  readonly clock: Clock;
  readonly log: { info(fields: object, message: string): void };
  readonly audit: (line: AuditLine) => void;
  readonly shadow: boolean;
}

export interface TurnedAway {
  /** A stranger was dropped for its country, its network or a feed. */
  tell(ip: string, identity: string, barred: Barred, place: Place | undefined): void;
  /** Sources, and those of them that the log had no room for. */
  readonly counts: { readonly sources: number; readonly unsaid: number };
  /** Requests that were dropped for their country, by country; ISO 3166 knows 249. */
  readonly countries: Readonly<Record<string, number>>;
}

/** A database may hold anything as a country. */
const MAX_COUNTRIES = 300;

/** Says who is turned away for no evidence of ours: once an hour each, in the log, and feeds' also in the reports. */
export const createTurnedAway = ({ clock, log, audit, shadow }: TurnedAwayParts): TurnedAway => {
  const told = new LRUCache<string, number>({ max: MAX_SOURCES });
  const counts = { sources: 0, unsaid: 0 };
  const countries: Record<string, number> = Object.create(null) as Record<string, number>;
  const countCountry = (country: string): void => {
    const known = country in countries || Object.keys(countries).length < MAX_COUNTRIES;
    const name = known ? country : 'OTHER';
    countries[name] = (countries[name] ?? 0) + 1;
  };
  let minute = 0;
  let lines = 0;
  return {
    counts,
    countries,
    tell(ip, identity, { state, reason, country }, place) {
      if (country !== undefined && !shadow) countCountry(country);
      const now = clock.now();
      const last = told.get(identity);
      if (last !== undefined && now - last < REPEAT_MS) return;
      told.set(identity, now);
      counts.sources += 1;
      // what the report counts is what was done: in shadow mode nothing was
      if (state === 'banned' && !shadow)
        audit({ at: now, actor: 'detector', action: 'ban.add', subject: identity, detail: reason });
      if (now - minute >= MINUTE_MS) {
        minute = now;
        lines = 0;
      }
      lines += 1;
      if (lines > LINES_A_MINUTE) {
        counts.unsaid += 1;
        return;
      }
      const where = { country: place?.country ?? '', asn: place?.asn ?? 0 };
      log.info({ event: 'turned-away', src: ip, state, reason, ...where, shadow }, 'a stranger was turned away');
    },
  };
};
