import { LRUCache } from 'lru-cache';
import type { EpochMs, Outcome, Request } from '../../model/index.ts';
import { DAY_MS, DailyHistogram } from './histogram.ts';

/** Customers whose windows are open at a time; the one that was quiet for longest is closed for a new one. */
const MAX_SOURCES = 10_000;
/** Distinct names that are counted in one window: far above every threshold that it is held against. */
const MAX_NAMES = 256;

/** How long each kind of window is, milliseconds. */
export interface PeakWindows {
  readonly burst: number;
  readonly targets: number;
  readonly failures: number;
}

export const PEAKS = ['requests', 'unanswered', 'user-failures', 'failing-users'] as const;
export type Peak = (typeof PEAKS)[number];

interface Windows {
  burstAt: EpochMs;
  burst: number;
  targetsAt: EpochMs;
  readonly open: Set<number>;
  readonly answered: Set<number>;
  failuresAt: EpochMs;
  /** Something came in this window: without, it says nothing. */
  active: boolean;
  readonly failures: Map<number, number>;
}

/** FNV-1a: names are only told apart, never kept. */
const hashOf = (text: string): number => {
  let mixed = 0x811c_9dc5;
  const end = Math.min(text.length, 128);
  for (let at = 0; at < end; at += 1) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x0100_0193);
  return mixed;
};

const addTo = (names: Set<number>, text: string): void => {
  if (text !== '' && names.size < MAX_NAMES) names.add(hashOf(text));
};

/**
 * The busiest moments of known customers: how many requests, unanswered names and failures each window of one source
 * had. Of a window only its counts remain, in histograms; there is no history of anybody.
 */
export class Peaks {
  readonly histograms: Readonly<Record<Peak, DailyHistogram>> = {
    requests: new DailyHistogram(),
    unanswered: new DailyHistogram(),
    'user-failures': new DailyHistogram(),
    'failing-users': new DailyHistogram(),
  };
  readonly windows: PeakWindows;
  #changed: (peak: Peak, day: number) => void = () => undefined;
  readonly #isCustomer: (identity: string) => boolean;
  readonly #sources: LRUCache<string, Windows>;
  evicted = 0;

  constructor(windows: PeakWindows, isCustomer: (identity: string) => boolean) {
    this.windows = windows;
    this.#isCustomer = isCustomer;
    this.#sources = new LRUCache({
      maxSize: MAX_SOURCES,
      sizeCalculation: () => 1,
      dispose: (open, _identity, reason) => {
        if (reason !== 'evict') return;
        this.evicted += 1;
        this.#closeBurst(open);
        this.#closeTargets(open);
        this.#closeFailures(open);
      },
    });
  }

  get size(): number {
    return this.#sources.size;
  }

  /** Tells which day of which histogram grew from now on; once only, to whoever keeps it. */
  watch(changed: (peak: Peak, day: number) => void): void {
    this.#changed = changed;
  }

  see(event: Request | Outcome): void {
    const { identity } = event.source;
    if (!this.#isCustomer(identity)) return;
    const { at } = event;
    const open = this.#at(identity, at);
    if (event.kind === 'request') {
      // what the server knows for a customer's is not counted by the detectors either
      if (event.standing === 'good' || event.standing === 'in-dialog') return;
      const target = event.sip.method === 'REGISTER' ? event.sip.to.user : event.sip.requestUser;
      if (event.credentials === 'bound') {
        // an answered challenge makes up for the request that was challenged
        open.burst = Math.max(0, open.burst - 1);
        addTo(open.answered, target);
      } else {
        if (event.sip.method !== 'OPTIONS') open.burst += 1;
        addTo(open.open, target);
      }
      return;
    }
    if (event.type === 'registered') addTo(open.answered, event.user);
    if (event.type !== 'auth') return;
    if (event.result === 'ok') addTo(open.answered, event.user);
    else if (event.result === 'wrong-password' || event.result === 'unknown-user') {
      const user = hashOf(event.user);
      const known = open.failures.get(user);
      if (known !== undefined || open.failures.size < MAX_NAMES) open.failures.set(user, (known ?? 0) + 1);
    }
  }

  /** Closes every window that has ended, of those too that nothing came from since. */
  sweep(now: EpochMs): void {
    for (const open of this.#sources.values()) this.#close(open, now);
  }

  #at(identity: string, at: EpochMs): Windows {
    const known = this.#sources.get(identity);
    if (known !== undefined) {
      this.#close(known, at);
      known.active = true;
      return known;
    }
    const opened: Windows = {
      burstAt: at,
      burst: 0,
      targetsAt: at,
      open: new Set(),
      answered: new Set(),
      failuresAt: at,
      active: true,
      failures: new Map(),
    };
    this.#sources.set(identity, opened);
    return opened;
  }

  /** A window begins with an event, so that one without any is not counted as a quiet one. */
  #close(open: Windows, now: EpochMs): void {
    if (now - open.burstAt >= this.windows.burst) {
      this.#closeBurst(open);
      open.burst = 0;
      open.burstAt = now;
    }
    if (now - open.targetsAt >= this.windows.targets) {
      this.#closeTargets(open);
      open.open.clear();
      open.answered.clear();
      open.targetsAt = now;
    }
    if (now - open.failuresAt >= this.windows.failures) {
      this.#closeFailures(open);
      open.failures.clear();
      open.active = false;
      open.failuresAt = now;
    }
  }

  #closeBurst({ burst, burstAt }: Windows): void {
    if (burst > 0) this.#add('requests', burst, burstAt);
  }

  #closeTargets({ open, answered, targetsAt }: Windows): void {
    if (open.size === 0 && answered.size === 0) return;
    let unanswered = 0;
    for (const name of open) if (!answered.has(name)) unanswered += 1;
    this.#add('unanswered', unanswered, targetsAt);
  }

  #closeFailures({ failures, failuresAt, active }: Windows): void {
    if (!active) return;
    this.#add('failing-users', failures.size, failuresAt);
    this.#add('user-failures', Math.max(0, ...failures.values()), failuresAt);
  }

  #add(peak: Peak, value: number, at: EpochMs): void {
    this.histograms[peak].add(value, at);
    this.#changed(peak, Math.floor(at / DAY_MS));
  }
}
