import { entryKey, type Change, type Entry, type EpochMs } from '../model/index.ts';
import { boundEntry, evidenceLines, withoutEvidence } from './bounds.ts';
import type { StoredChange } from './messages.ts';

/** `handed`: number of the oldest hand-over that this item stands for and that is not on disk yet. */
export interface PendingChange extends StoredChange {
  readonly handed: number;
}

export type Batch = ReadonlyMap<string, PendingChange>;

/** What a change without evidence costs to copy to the database thread, beside one with. */
const WITHOUT_EVIDENCE = 0.25;
/** Beyond this many keys it is no longer tracked what is on disk (about 100 bytes a key). */
const MAX_TRACKED_KEYS = 500_000;

/**
 * Changes that wait for the disk, in order of hand-over, the last one of each key only. Changes are never dropped: with
 * a dead disk the size is bounded by the live entries, the removals of what is on disk, and the subjects banned since.
 * Above `limit`, evidence is left out of what comes in.
 */
export class PendingChanges {
  readonly #limit: number;
  #items = new Map<string, PendingChange>();
  /** Entry keys that may have a row on disk; undefined while unknown. */
  #onDisk: Set<string> | undefined;
  #inFlight: Batch = new Map();
  #droppedEvidence = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** With those that are being written. */
  get size(): number {
    return this.#items.size + this.#inFlight.size;
  }

  /** Evidence lines left out under pressure since the start. */
  get droppedEvidence(): number {
    return this.#droppedEvidence;
  }

  /** Whether a change that was handed over up to this number is not on disk yet. */
  waitsFor(upTo: number): boolean {
    for (const items of [this.#inFlight, this.#items]) {
      // Mostly the first one answers: the order is that of the last change, and few keys change all the time.
      for (const item of items.values()) if (item.handed <= upTo) return true;
    }
    return false;
  }

  add(change: Change, at: EpochMs, handed: number): void {
    const full = this.size >= this.#limit;
    if (change.op === 'remove' && this.#forgetUnwritten(change.entry)) return;
    const key = this.#keyOf(change.entry, full);
    const before = this.#items.get(key);
    const bounded = boundEntry(change.entry);
    const stripped = before === undefined ? full : before.stripped;
    if (stripped) this.#droppedEvidence += evidenceLines(bounded);
    const entry = stripped ? withoutEvidence(bounded) : bounded;
    // Deleted first, so that it goes to the end: the order of the last changes is the order on disk.
    this.#items.delete(key);
    this.#items.set(key, { change: { ...change, entry }, at, stripped, handed: before?.handed ?? handed });
  }

  /**
   * The oldest changes, to be written. One batch at a time: end it with `committed` or `giveBack`.
   * @param count of changes with evidence; those without are small, and more fit
   */
  take(count: number): Batch {
    const batch = new Map<string, PendingChange>();
    let weight = 0;
    for (const [key, item] of this.#items) {
      if (weight >= count) break;
      weight += evidenceLines(item.change.entry) > 0 ? 1 : WITHOUT_EVIDENCE;
      batch.set(key, item);
      this.#items.delete(key);
      if (item.change.op === 'put') this.#onDisk?.add(entryKey(item.change.entry));
    }
    if (this.#onDisk !== undefined && this.#onDisk.size > MAX_TRACKED_KEYS) this.#onDisk = undefined;
    this.#inFlight = batch;
    return batch;
  }

  committed(): void {
    const batch = this.#inFlight;
    this.#inFlight = new Map();
    for (const { change } of batch.values()) {
      if (change.op === 'remove') this.#onDisk?.delete(entryKey(change.entry));
      else this.#onDisk?.add(entryKey(change.entry));
    }
  }

  /** Puts the batch back in front of what came in since; the newer change of a key wins. */
  giveBack(): void {
    const newer = this.#items;
    this.#items = new Map(this.#inFlight);
    this.#inFlight = new Map();
    for (const [key, item] of newer) {
      const handed = this.#items.get(key)?.handed ?? item.handed;
      this.#items.delete(key);
      this.#items.set(key, { ...item, handed });
    }
  }

  /** Tells which entries are on disk, after they were loaded. */
  learn(entries: readonly Entry[]): void {
    const known = new Set(entries.map((entry) => entryKey(entry)));
    for (const { change } of this.#inFlight.values()) known.add(entryKey(change.entry));
    for (const { change } of this.#items.values()) if (change.op === 'remove') known.add(entryKey(change.entry));
    this.#onDisk = known;
  }

  /** Each ban is a line of history, so two bans of one subject wait side by side while there is room. */
  #keyOf(entry: Entry, full: boolean): string {
    const key = entryKey(entry);
    if (entry.kind !== 'ban') return key;
    const own = `${key} ${entry.since}`;
    return full && !this.#items.has(own) ? key : own;
  }

  /** A removal of what never reached the disk leaves nothing to do. A ban does: its line of history. */
  #forgetUnwritten(entry: Entry): boolean {
    const key = entryKey(entry);
    if (entry.kind === 'ban' || this.#onDisk === undefined || this.#onDisk.has(key)) return false;
    this.#items.delete(key);
    return true;
  }
}
