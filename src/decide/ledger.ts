import { entryKey } from '../model/index.ts';
import type { BanEntry, Change, Entry, EpochMs, GoodEntry, QuarantineEntry, ThrottleEntry } from '../model/index.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { Presence } from './presence.ts';

type Kind = Entry['kind'];
const KINDS: readonly Kind[] = ['ban', 'quarantine', 'throttle', 'throttle-user', 'good', 'allow', 'deny'];

/** What a subject is looked up for with each event. */
const HELD: ReadonlySet<Kind> = new Set<Kind>(['ban', 'quarantine', 'throttle']);

/** An operator's lists may grow to this; more belongs into a firewall set or a feed. */
const MAX_LIST_ENTRIES = 1_000_000;

/** The key without its kind: a subject is looked up as it is, several times an event, and mostly needs no other text. */
const placeOf = (entry: Entry): string =>
  entry.kind === 'good' || entry.kind === 'throttle-user'
    ? entryKey(entry).slice(entry.kind.length + 1)
    : entry.subject;

/**
 * The one list of what should be enforced, each entry with its evidence. Bounded per kind: what is put beyond the cap
 * pushes out the entry of that kind that has been there longest (never an operator's), and is counted.
 */
export class Ledger {
  readonly #byKind: Readonly<Record<Kind, Map<string, Entry>>>;
  readonly #goodByIdentity = new Map<string, Map<string, GoodEntry>>();
  /** Subjects of bans, quarantines and throttles, and identities with known-good entries. */
  readonly #held = new Presence();
  readonly #heap = new ExpiryHeap();
  readonly #caps: Readonly<Record<Kind, number>>;
  /** Of kinds that have reached their cap: where the search for the oldest entry stands. */
  readonly #oldest: Partial<Record<Kind, MapIterator<[string, Entry]>>> = {};
  readonly #identityOf: (ip: string) => string;
  evicted = 0;

  constructor(
    caps: { readonly bans: number; readonly quarantined: number; readonly throttled: number; readonly good: number },
    identityOf: (ip: string) => string,
  ) {
    this.#identityOf = identityOf;
    this.#byKind = {
      ban: new Map(),
      quarantine: new Map(),
      throttle: new Map(),
      'throttle-user': new Map(),
      good: new Map(),
      allow: new Map(),
      deny: new Map(),
    };
    this.#caps = {
      ban: caps.bans,
      quarantine: caps.quarantined,
      throttle: caps.throttled,
      'throttle-user': caps.throttled,
      good: caps.good,
      allow: MAX_LIST_ENTRIES,
      deny: MAX_LIST_ENTRIES,
    };
  }

  get(key: string): Entry | undefined {
    const space = key.indexOf(' ');
    return this.#byKind[key.slice(0, space) as Kind].get(key.slice(space + 1));
  }

  ban(subject: string): BanEntry | undefined {
    return this.#held.mayHold(subject) ? (this.#byKind.ban.get(subject) as BanEntry | undefined) : undefined;
  }

  quarantine(subject: string): QuarantineEntry | undefined {
    return this.#held.mayHold(subject)
      ? (this.#byKind.quarantine.get(subject) as QuarantineEntry | undefined)
      : undefined;
  }

  throttle(subject: string): ThrottleEntry | undefined {
    return this.#held.mayHold(subject) ? (this.#byKind.throttle.get(subject) as ThrottleEntry | undefined) : undefined;
  }

  good(ip: string, port: number, user: string): GoodEntry | undefined {
    return this.#byKind.good.get(`${ip} ${port} ${user}`) as GoodEntry | undefined;
  }

  /** Whether anybody is known-good behind an identity. */
  hasGood(identity: string): boolean {
    return this.#held.mayHold(identity) && this.#goodByIdentity.has(identity);
  }

  /** Known-good entries behind an identity. */
  goodOf(identity: string): Iterable<GoodEntry> {
    return this.#goodByIdentity.get(identity)?.values() ?? [];
  }

  count(kind: Kind): number {
    return this.#byKind[kind].size;
  }

  *entries(...kinds: readonly Kind[]): Generator<Entry> {
    for (const kind of kinds.length > 0 ? kinds : KINDS) yield* this.#byKind[kind].values();
  }

  /** Puts or replaces. @returns what changed: the put, and what it pushed out */
  put(entry: Entry): Change[] {
    const map = this.#byKind[entry.kind];
    const key = placeOf(entry);
    const changes: Change[] = [{ op: 'put', entry }];
    if (!map.has(key)) {
      if (map.size >= this.#caps[entry.kind]) changes.push(...this.#evict(entry.kind));
      if (HELD.has(entry.kind)) this.#held.add(key);
    }
    map.set(key, entry);
    if (entry.kind === 'good') this.#putGood(key, entry);
    if (entry.until !== null) this.#heap.push(entry.until, entryKey(entry));
    if (this.#heap.size > 10_000 && this.#heap.size > this.#living() * 4) this.#rebuildHeap();
    return changes;
  }

  remove(key: string, why: 'operator' | 'superseded' | 'revoked' | 'expired'): Change[] {
    const entry = this.get(key);
    if (entry === undefined) return [];
    const place = placeOf(entry);
    this.#byKind[entry.kind].delete(place);
    if (HELD.has(entry.kind)) this.#held.delete(place);
    if (entry.kind === 'good') this.#removeGood(place, entry);
    return [{ op: 'remove', entry, why }];
  }

  /** Takes out what has ended by `now`, at most `limit` entries. */
  expire(now: EpochMs, limit = 10_000): Change[] {
    const changes: Change[] = [];
    for (let taken = 0; taken < limit;) {
      const key = this.#heap.pop(now);
      if (key === undefined) break;
      const entry = this.get(key);
      // renewed or removed meanwhile: a later end is in the heap as well
      if (entry === undefined || entry.until === null || entry.until > now) continue;
      changes.push(...this.remove(key, 'expired'));
      taken += 1;
    }
    return changes;
  }

  #putGood(place: string, entry: GoodEntry): void {
    const identity = this.#identityOf(entry.ip);
    let goods = this.#goodByIdentity.get(identity);
    if (goods === undefined) {
      goods = new Map();
      this.#goodByIdentity.set(identity, goods);
      this.#held.add(identity);
    }
    goods.set(place, entry);
  }

  #removeGood(place: string, entry: GoodEntry): void {
    const identity = this.#identityOf(entry.ip);
    const goods = this.#goodByIdentity.get(identity);
    goods?.delete(place);
    if (goods?.size !== 0) return;
    this.#goodByIdentity.delete(identity);
    this.#held.delete(identity);
  }

  /**
   * Goes on where the last eviction stopped: starting at the front of a map that evicts all the time would walk over its
   * deleted entries, a tenth of a millisecond each time under a flood.
   */
  #evict(kind: Kind): Change[] {
    const map = this.#byKind[kind];
    for (let round = 0; round < 2; round += 1) {
      const oldest = (this.#oldest[kind] ??= map.entries());
      for (let next = oldest.next(); next.done !== true; next = oldest.next()) {
        const [, entry] = next.value;
        if (entry.origin !== 'detector') continue;
        this.evicted += 1;
        return this.remove(entryKey(entry), 'superseded');
      }
      delete this.#oldest[kind];
    }
    return [];
  }

  #living(): number {
    return KINDS.reduce((sum, kind) => sum + this.#byKind[kind].size, 0);
  }

  #rebuildHeap(): void {
    const due = [];
    for (const entry of this.entries()) if (entry.until !== null) due.push({ at: entry.until, key: entryKey(entry) });
    this.#heap.rebuild(due);
  }
}
