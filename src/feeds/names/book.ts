import { isServiceName } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import { createPrivateRange } from '../../enrich/index.ts';
import type { NameResolver } from './resolver.ts';

/** A name whose addresses somebody wants on the allow list. */
export interface NameWish {
  readonly name: string;
  readonly note: string;
  readonly private: boolean;
  readonly peer?: string | undefined;
  readonly checked?: boolean | undefined;
}

export interface NameBookParts {
  readonly resolver: NameResolver;
  readonly clock: Clock;
  /** These are its addresses now. */
  readonly found: (wish: NameWish, ips: readonly string[]) => void;
  /** Nobody wants it any more. */
  readonly gone: (name: string) => void;
  /** An operator has to know; undefined: it is well again. */
  readonly alarm: (name: string, problem: string | undefined) => void;
}

export interface NameBook {
  /** All names that this place wants, instead of those it wanted before. */
  want(place: string, wishes: readonly NameWish[]): void;
  /** Looks up what is due. */
  look(): Promise<void>;
  stats(): Readonly<Record<string, number>>;
  stop(): void;
}

const LOOK_MS = 1_000;
/** Names are looked up anew within these bounds, whatever their servers say. */
const SHORTEST_MS = 30_000;
const LONGEST_MS = 3_600_000;
const FIRST_RETRY_MS = 15_000;
const LONGEST_RETRY_MS = 600_000;
/** A carrier's name may lead to dozens; to thousands only if it is not the carrier's any more. */
const MAX_ADDRESSES = 256;
const MAX_SERVICES = 16;
const AT_ONCE = 4;
const MAX_NAMES = 5_000;
/** Nobody's addresses: `0.0.0.0/8`, multicast and above, `::`. */
const NOBODY = /^(?:0\.|22[4-9]\.|2[3-5]\d\.|127\.|ff[0-9a-f]{2}:|::1?$)/;

interface Page {
  wishes: Map<string, NameWish>;
  dueAt: number;
  failures: number;
  busy: boolean;
}

/** Keeps the addresses of names: as their TTL says, and the last good ones while they cannot be looked up. */
export const createNameBook = (parts: NameBookParts): NameBook => {
  const { resolver, clock } = parts;
  const isPrivate = createPrivateRange();
  const pages = new Map<string, Page>();
  const counts = { lookups: 0, failures: 0, refused: 0 };

  const addressesOf = async (name: string): Promise<{ ips: readonly string[]; ttlMs: number }> => {
    if (!isServiceName(name)) return resolver.addresses(name);
    const targets = [...new Set(await resolver.services(name))].filter((target) => target !== '' && target !== '.');
    if (targets.length === 0 || targets.length > MAX_SERVICES) throw new Error(`it leads to ${targets.length} servers`);
    const each = await Promise.all(targets.map((target) => resolver.addresses(target)));
    return { ips: each.flatMap(({ ips }) => ips), ttlMs: Math.min(...each.map(({ ttlMs }) => ttlMs)) };
  };

  /** What a name may not lead to by surprise: our own network, or nobody. */
  const usable = (ips: readonly string[], wish: NameWish): readonly string[] =>
    ips.filter((ip) => !NOBODY.test(ip) && (wish.private || !isPrivate(ip)));

  const lookUp = async (name: string, page: Page): Promise<void> => {
    page.busy = true;
    counts.lookups += 1;
    try {
      const { ips, ttlMs } = await addressesOf(name);
      const all = [...new Set(ips)];
      if (all.length > MAX_ADDRESSES)
        throw new Error(`it leads to ${all.length} addresses, more than ${MAX_ADDRESSES}`);
      let refused: readonly string[] = [];
      for (const wish of page.wishes.values()) {
        const good = usable(all, wish);
        const bad = all.filter((ip) => !good.includes(ip));
        if (bad.length > 0) refused = bad;
        if (good.length > 0) parts.found(wish, good);
      }
      counts.refused += refused.length;
      page.failures = 0;
      page.dueAt = clock.now() + Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttlMs));
      parts.alarm(
        name,
        refused.length === 0
          ? undefined
          : `leads to ${refused.slice(0, 3).join(', ')}, which is private or nobody's: not taken (private: true takes private ones)`,
      );
    } catch (error) {
      counts.failures += 1;
      page.failures += 1;
      page.dueAt = clock.now() + Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(10, page.failures - 1));
      const why = error instanceof Error ? error.message : String(error);
      parts.alarm(name, `cannot be looked up: ${why}; its last addresses stay`);
    } finally {
      page.busy = false;
    }
  };

  const look = async (): Promise<void> => {
    let busy = [...pages.values()].filter((page) => page.busy).length;
    const due: Promise<void>[] = [];
    for (const [name, page] of pages) {
      if (busy >= AT_ONCE) break;
      if (page.busy || page.dueAt > clock.now()) continue;
      busy += 1;
      due.push(lookUp(name, page));
    }
    await Promise.all(due);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();

  return {
    want(place, wishes) {
      const wanted = new Map(wishes.map((wish) => [wish.name, wish]));
      for (const [name, page] of pages) {
        if (!wanted.has(name) && page.wishes.delete(place) && page.wishes.size === 0) {
          pages.delete(name);
          parts.alarm(name, undefined);
          parts.gone(name);
        }
      }
      for (const [name, wish] of wanted) {
        const page = pages.get(name) ?? { wishes: new Map(), dueAt: 0, failures: 0, busy: false };
        if (!pages.has(name) && pages.size >= MAX_NAMES) {
          parts.alarm(name, `is one name too many: at most ${MAX_NAMES} are looked up`);
          continue;
        }
        page.wishes.set(place, wish);
        page.dueAt = 0;
        pages.set(name, page);
      }
    },
    look,
    stats: () => ({
      names: pages.size,
      failing: [...pages.values()].filter(({ failures }) => failures > 0).length,
      ...counts,
    }),
    stop: () => clearInterval(timer),
  };
};
