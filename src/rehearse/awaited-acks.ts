import type { EpochMs, Source } from '../model/index.ts';
import { Recent } from './recent.ts';

/** RFC 3261 timer H: as long as a server waits for an ACK. */
const WAIT_MS = 32_000;
/** As Kamailio's `companion_acked` forgets. */
const ACKED_MS = 600_000;

const MAX_CALLS = 10_000;

interface Awaited {
  readonly source: Source;
  readonly since: EpochMs;
}

/** A call whose answer was not acknowledged in time. */
interface Overdue {
  readonly source: Source;
  readonly callId: string;
  /** Calls of this source that were acknowledged lately. */
  readonly acked: number;
}

/** Strangers' calls that wait for their ACK, as `kamailio/companion/ack.cfg` keeps them. */
export class AwaitedAcks {
  /** Whose call it is, by Call-ID: only strangers' calls are watched. */
  readonly #calls = new Recent<Source>(MAX_CALLS);
  /** Oldest first. */
  readonly #awaited = new Map<string, Awaited>();
  readonly #acked = new Recent<{ readonly count: number; readonly at: EpochMs }>(MAX_CALLS);
  readonly #perSecond: number;
  #second = -1;
  #count = 0;
  /** Where no ACK is ever seen (half a capture), nobody is accused. */
  #seen = false;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** A stranger's INVITE goes on to be challenged, refused or accepted. */
  call(callId: string, source: Source): void {
    this.#calls.set(callId, source);
  }

  /** The answer was a challenge or a refusal. */
  refused(at: EpochMs, callId: string): void {
    const source = this.#calls.get(callId);
    if (source === undefined || this.#awaited.has(callId) || this.#awaited.size >= MAX_CALLS) return;
    const second = Math.floor(at / 1_000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    this.#count += 1;
    if (this.#count <= this.#perSecond) this.#awaited.set(callId, { source, since: at });
  }

  acknowledged(at: EpochMs, callId: string): void {
    this.#seen = true;
    this.heard(at, callId);
  }

  /** The caller has heard the answer: it answers the challenge. */
  heard(at: EpochMs, callId: string): void {
    const awaited = this.#awaited.get(callId);
    if (awaited === undefined) return;
    this.#awaited.delete(callId);
    const { identity } = awaited.source;
    this.#acked.set(identity, { count: this.#ackedOf(identity, at) + 1, at });
  }

  /** Takes out what has waited for too long. */
  overdue(now: EpochMs): Overdue[] {
    const late: Overdue[] = [];
    for (const [callId, { source, since }] of this.#awaited) {
      if (now - since <= WAIT_MS) break;
      this.#awaited.delete(callId);
      if (this.#seen) late.push({ source, callId, acked: this.#ackedOf(source.identity, now) });
    }
    return late;
  }

  #ackedOf(identity: string, now: EpochMs): number {
    const known = this.#acked.get(identity);
    return known === undefined || now - known.at > ACKED_MS ? 0 : known.count;
  }
}
