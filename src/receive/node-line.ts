import type { EpochMs } from '../model/index.ts';

/** Heartbeats are answered within this long, or the line counts as silent. */
export const HELLO_TIMEOUT_MS = 2_000;

/** 31-bit counters of Kamailio's htable wrap; a step back by more than this is a restart or a wrap, not reordering. */
const REORDER_WINDOW = 10_000;

/**
 * What we know of the line to one server: when it last answered a heartbeat, which start of it this is, and how many
 * of its tells were lost on the way. Its hellos carry the sequence number that it used last; what lies between two
 * hellos and did not arrive is lost.
 */
export class NodeLine {
  boot = '';
  lastHello: EpochMs = 0;
  lost = 0;
  received = 0;
  #sequenceAtHello = -1;
  #receivedAtHello = 0;

  /** A tell, outcome or expiry arrived (asks are counted by their answers). */
  took(): void {
    this.received += 1;
  }

  /** @returns true when the server is another start of itself than before, or answers after a silence */
  hello(boot: string, sequence: number, at: EpochMs): boolean {
    const restarted = boot !== this.boot;
    const returned = at - this.lastHello > HELLO_TIMEOUT_MS;
    if (!restarted && this.#sequenceAtHello >= 0) {
      const sent = sequence - this.#sequenceAtHello;
      const got = this.received - this.#receivedAtHello;
      // frames that overtook the hello were counted early: carry the surplus over instead of losing it
      if (sent > got && sent < REORDER_WINDOW * 100) {
        this.lost += sent - got;
        this.#receivedAtHello = this.received;
      } else {
        this.#receivedAtHello = this.received - Math.min(REORDER_WINDOW, Math.max(0, got - sent));
      }
    } else {
      this.#receivedAtHello = this.received;
    }
    this.boot = boot;
    this.#sequenceAtHello = sequence;
    this.lastHello = at;
    return restarted || returned;
  }

  alive(at: EpochMs): boolean {
    return this.lastHello > 0 && at - this.lastHello <= HELLO_TIMEOUT_MS;
  }
}
