import { CompanionError, formatCidr, parseCidr, subjectOf } from '../../model/index.ts';
import { PrefixMap } from '../../enrich/index.ts';
import { MAX_NAMED_HITS, excessOf, isWide, sizeOf } from '../sift/index.ts';
import type { Covered, Protection } from '../sift/index.ts';
import type { Hits, Listed } from './kind.ts';

/** Entries with ends of their own, of one feed: some 100 bytes each. */
const MAX_ENTRIES = 500_000;

interface Dated {
  readonly until: number;
  readonly since: number;
  readonly wide: boolean;
}

const plus = (one: Covered, other: Covered, sign: 1 | -1): Covered => ({
  v4: one.v4 + sign * other.v4,
  v6: one.v6 + sign * other.v6,
});

/** What was left out of a batch. */
export interface LeftOut {
  readonly hits: { count: number; named: string[] };
  readonly left: Record<string, number>;
}

export const nothingLeftOut = (): LeftOut => ({ hits: { count: 0, named: [] }, left: {} });

/** Addresses and networks that each end at their own time. */
export class DatedEntries {
  readonly #bySubject = new Map<string, Dated>();
  readonly #map = new PrefixMap<Dated>();
  /** By all entries, those within others counted again: exact would be dearer, and a feed says things once. */
  #covered: Covered = { v4: 0, v6: 0 };

  get size(): number {
    return this.#bySubject.size;
  }

  /** Takes an address or network in, unless it must not enter; what is left out is counted in `out`. */
  add(text: string, since: number, until: number, protection: Protection, out: LeftOut): void {
    const count = (reason: string): void => {
      out.left[reason] = (out.left[reason] ?? 0) + 1;
    };
    let subject: string;
    try {
      subject = formatCidr(parseCidr(subjectOf(text)));
    } catch (error) {
      if (!(error instanceof CompanionError)) throw error;
      count('unread');
      return;
    }
    const cidr = parseCidr(subject);
    const refused = protection.refuse(cidr);
    if (refused !== undefined) {
      if (refused.why !== 'protected') count(refused.why);
      else {
        out.hits.count += 1;
        if (out.hits.named.length < MAX_NAMED_HITS) out.hits.named.push(`${subject} hits ${refused.what}`);
      }
      this.remove(subject);
      return;
    }
    const known = this.#bySubject.get(subject);
    if (known === undefined && this.#bySubject.size >= MAX_ENTRIES) {
      count('too-many');
      return;
    }
    if (known === undefined) {
      const covered = plus(this.#covered, sizeOf(cidr), 1);
      if (excessOf(covered) !== undefined) {
        count('too-much');
        return;
      }
      this.#covered = covered;
    }
    const wide = isWide(cidr.family, cidr.prefix);
    const dated = { since: known?.since ?? since, until: Math.max(known?.until ?? 0, until), wide };
    this.#bySubject.set(subject, dated);
    this.#map.set(cidr, dated);
  }

  remove(text: string): void {
    try {
      const cidr = parseCidr(subjectOf(text));
      if (!this.#bySubject.delete(formatCidr(cidr))) return;
      this.#map.delete(cidr);
      this.#covered = plus(this.#covered, sizeOf(cidr), -1);
    } catch (error) {
      if (!(error instanceof CompanionError)) throw error;
    }
  }

  /** It was listed earlier already; nothing where it is not listed now. Takes a subject of `entries`. */
  listedSince(subject: string, since: number): void {
    const known = this.#bySubject.get(subject);
    if (known === undefined || known.since <= since) return;
    const dated = { ...known, since };
    this.#bySubject.set(subject, dated);
    this.#map.set(parseCidr(subject), dated);
  }

  /** Takes out what has ended, and what must not be listed any more. */
  sweep(now: number, protection: Protection): Hits {
    const hits = { count: 0, named: [] as string[] };
    for (const [subject, { until }] of this.#bySubject) {
      const refused = until <= now ? undefined : protection.refuse(parseCidr(subject));
      if (until > now && refused === undefined) continue;
      if (refused !== undefined) {
        hits.count += 1;
        if (hits.named.length < MAX_NAMED_HITS) hits.named.push(`${subject} hits ${refused.what}`);
      }
      this.remove(subject);
    }
    return hits;
  }

  /** @param aloneMs for how long the word of one feed alone is enough */
  listed(ip: string, now: number, aloneMs: number): Listed | undefined {
    const closest = this.#map.match(ip);
    const found =
      closest === undefined || closest.until > now ? closest : this.#map.covering(ip).find(({ until }) => until > now);
    return found && { until: found.until, long: now - found.since > aloneMs, wide: found.wide };
  }

  entries(): (readonly [subject: string, since: number, until: number])[] {
    return [...this.#bySubject].map(([subject, { since, until }]) => [subject, since, until] as const);
  }
}
