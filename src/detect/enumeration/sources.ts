import type { EpochMs } from '../../model/index.ts';
import type { TableStats } from '../base/detector.ts';
import { SourceKey } from '../base/source-key.ts';
import { SourceTable } from '../base/source-table.ts';
import { TextColumn } from '../base/text-column.ts';
import {
  addTarget,
  newSource,
  newTarget,
  seeAgain,
  weightOf,
  type Seen,
  type SourceTargets,
  type TargetState,
} from './targets.ts';

const STATES: readonly TargetState[] = ['asked', 'tried', 'refused'];
/** How `Seen` stands in one byte: the state in the lowest two bits. */
const STATE_BITS = 3;
const CALL = 4;
const PROVEN = 8;

/**
 * The sources of enumeration. Most of them, in a flood nearly all, ask for one name and are never seen again: those stand
 * in columns. Whoever does anything else gets a record.
 */
export class EnumerationSources {
  readonly #key = new SourceKey();
  readonly #table: SourceTable;
  readonly #records;
  readonly #last;
  readonly #name;
  /** How long before `#last` the name was first seen: zero for whoever asked once. */
  readonly #age;
  readonly #callMark;
  readonly #seen;
  readonly #maxTargets: number;
  #targets = 0;

  constructor(maxSources: number, maxTargets: number) {
    this.#maxTargets = maxTargets;
    this.#table = new SourceTable(maxSources, (slot) => {
      const record = this.#records.get(slot);
      this.#targets -= record === undefined ? (this.#name.has(slot) ? 1 : 0) : weightOf(record);
    });
    this.#records = this.#table.sparse<SourceTargets>();
    this.#last = this.#table.numbers();
    this.#name = new TextColumn(this.#table);
    this.#age = this.#table.numbers();
    this.#callMark = this.#table.numbers();
    this.#seen = this.#table.bytes();
  }

  get stats(): TableStats {
    return this.#table.stats;
  }

  /** The number of targets of the youngest source has changed by so many; it is never evicted for it. */
  reweigh(difference: number): void {
    this.#targets += difference;
    while (this.#targets > this.#maxTargets && this.#table.pop());
  }

  /** The record of this source, as the youngest, made if there is none. */
  open(identity: string, at: EpochMs): SourceTargets {
    return this.#record(this.#table.take(this.#key.read(identity)), at);
  }

  /**
   * Notes a request for a name ('': none that counts) as long as it is the only name of this source.
   * @returns the record, when the source has one or needs one now: then nothing was noted
   */
  askOnly(identity: string, at: EpochMs, name: string, seen: Seen, windowMs: number): SourceTargets | undefined {
    const slot = this.#table.take(this.#key.read(identity));
    if (this.#records.get(slot) !== undefined) return this.#record(slot, at);
    const known = this.#name.has(slot);
    const same = known && this.#name.is(slot, name);
    const last = Math.max(at, this.#last[slot]!);
    const age = known ? this.#age[slot]! + last - this.#last[slot]! : 0;
    const old = known && age >= windowMs;
    // whoever dials one number after the other is remembered for longer than names count
    if (known && (!old || seen.call) && name !== '' && !same) return this.#record(slot, at);
    this.#last[slot] = last;
    if (old) {
      this.#name.delete(slot);
      this.reweigh(-1);
    }
    if (this.#age[slot] !== (old ? 0 : age)) this.#age[slot] = old ? 0 : age;
    if (name === '' || (old && same)) return undefined;
    if (same) {
      const again = this.#read(slot);
      seeAgain(again, seen);
      this.#write(slot, again);
    } else {
      this.#name.set(slot, name);
      this.#write(slot, seen);
      this.reweigh(1);
    }
    return undefined;
  }

  #record(slot: number, at: EpochMs): SourceTargets {
    let record = this.#records.get(slot);
    if (record === undefined) {
      record = newSource();
      record.last = this.#last[slot]!;
      const name = this.#name.get(slot);
      const firstSeen = record.last - this.#age[slot]!;
      this.#records.set(slot, record);
      this.#name.delete(slot);
      // one of them stood in the columns
      if (name !== undefined) this.reweigh(addTarget(record, newTarget(name, firstSeen, this.#read(slot))) - 1);
    }
    record.last = Math.max(record.last, at);
    return record;
  }

  #read(slot: number): { -readonly [Part in keyof Seen]: Seen[Part] } {
    const bits = this.#seen[slot]!;
    return {
      call: (bits & CALL) !== 0,
      state: STATES[bits & STATE_BITS] ?? 'asked',
      tier: (bits & PROVEN) === 0 ? 'spoofable' : 'proven',
      callMark: this.#callMark[slot]!,
    };
  }

  #write(slot: number, { call, state, tier, callMark }: Seen): void {
    this.#seen[slot] = STATES.indexOf(state) | (call ? CALL : 0) | (tier === 'proven' ? PROVEN : 0);
    this.#callMark[slot] = callMark;
  }
}
