import { randomInt } from 'node:crypto';
import type { TableStats } from './detector.ts';
import type { SourceKey } from './source-key.ts';
import { SparseColumn } from './sparse-column.ts';

/** One value for each slot; of bytes maybe several. */
interface Column {
  readonly values: Float64Array | Uint8Array | SparseColumn<unknown>;
  readonly width: number;
}

const NONE = -1;

/** Where what stands in a slot's numbers. */
const WIDTH = 4;
const [HI, LO, OLDER, YOUNGER] = [0, 1, 2, 3];

/**
 * Sources with a cap, by number of a slot; the one that was not taken for longest makes room. What is remembered of a
 * source stands in columns, so that a million sources that sent one request each cost some fifty bytes each and nothing
 * for the garbage collector to walk over. Columns have their full length from the start: the kernel gives memory to what
 * is written of them, and nothing is ever copied. A new slot holds zeros and undefined; whoever writes no zero over a
 * zero lets a column cost nothing.
 */
export class SourceTable {
  readonly #max: number;
  readonly #forget: (slot: number) => void;
  readonly #columns: Column[] = [];
  /** Whoever knows how slots are spread could send from addresses that all meet in one place. */
  readonly #seed = randomInt(2 ** 32) | 0;
  /** Of each slot four numbers beside each other, for they are read together: key, next older and next younger slot. */
  readonly #slots: Int32Array;
  /** Open addressing with linear probing: number of the slot, plus one. Never more than half full. */
  readonly #index: Int32Array;
  #oldest = NONE;
  #youngest = NONE;
  /** Slots that were given back, linked as older ones. */
  #free = NONE;
  #used = 0;
  #size = 0;
  #evicted = 0;

  /** @param forget called with a slot before what it holds is taken away for lack of room */
  constructor(max: number, forget: (slot: number) => void = () => undefined) {
    this.#max = max;
    this.#forget = forget;
    this.#slots = new Int32Array(max * WIDTH);
    this.#index = new Int32Array(2 ** Math.ceil(Math.log2(max * 2)));
  }

  get stats(): TableStats {
    return { size: this.#size, evicted: this.#evicted };
  }

  /** For times and other numbers that 32 bits are not enough for. */
  numbers(): Float64Array {
    return this.#column(new Float64Array(this.#max));
  }

  /** `width` bytes for each slot, from `slot * width` on. */
  bytes(width = 1): Uint8Array {
    return this.#column(new Uint8Array(this.#max * width), width);
  }

  /** For what few sources have. */
  sparse<Value>(): SparseColumn<Value> {
    return this.#column(new SparseColumn<Value>());
  }

  /** The slot of this source, made if there is none; it becomes the youngest. */
  take(key: SourceKey): number {
    const slot = this.find(key);
    if (slot < 0) return this.#add(key.hi | 0, key.lo | 0);
    if (slot !== this.#youngest) {
      this.#unlink(slot);
      this.#append(slot);
    }
    return slot;
  }

  /** The slot of this source, without touching it; negative when there is none. */
  find({ hi, lo }: SourceKey): number {
    const keyHi = hi | 0;
    const keyLo = lo | 0;
    const mask = this.#index.length - 1;
    let place = this.#hash(keyHi, keyLo) & mask;
    for (let found = this.#index[place]!; found !== 0; found = this.#index[place]!) {
      const slot = found - 1;
      if (this.#slots[slot * WIDTH + LO] === keyLo && this.#slots[slot * WIDTH + HI] === keyHi) return slot;
      place = (place + 1) & mask;
    }
    return NONE;
  }

  /** Forgets the source that was not taken for longest. @returns false when only one is left */
  pop(): boolean {
    if (this.#size < 2) return false;
    this.#evict();
    return true;
  }

  #column<Values extends Column['values']>(values: Values, width = 1): Values {
    this.#columns.push({ values, width });
    return values;
  }

  #hash(hi: number, lo: number): number {
    let mixed = lo ^ this.#seed ^ Math.imul(hi ^ (this.#seed >>> 7), 0x9e37_79b1);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return mixed ^ (mixed >>> 16);
  }

  #add(hi: number, lo: number): number {
    if (this.#size >= this.#max) this.#evict();
    let slot = this.#free;
    if (slot !== NONE) this.#free = this.#slots[slot * WIDTH + OLDER]!;
    else slot = this.#used++;
    this.#slots[slot * WIDTH + HI] = hi;
    this.#slots[slot * WIDTH + LO] = lo;
    this.#size += 1;
    this.#append(slot);
    this.#enter(slot);
    return slot;
  }

  #enter(slot: number): void {
    const mask = this.#index.length - 1;
    let place = this.#hash(this.#slots[slot * WIDTH + HI]!, this.#slots[slot * WIDTH + LO]!) & mask;
    while (this.#index[place] !== 0) place = (place + 1) & mask;
    this.#index[place] = slot + 1;
  }

  #evict(): void {
    const slot = this.#oldest;
    this.#forget(slot);
    this.#leave(slot);
    this.#unlink(slot);
    for (const { values, width } of this.#columns) {
      if (values instanceof SparseColumn) values.delete(slot);
      else for (let at = slot * width; at < (slot + 1) * width; at += 1) if (values[at] !== 0) values[at] = 0;
    }
    this.#slots[slot * WIDTH + OLDER] = this.#free;
    this.#free = slot;
    this.#size -= 1;
    this.#evicted += 1;
  }

  /** Takes a slot out of the index; those that were pushed behind it move up, so that no gap ends a search too early. */
  #leave(slot: number): void {
    const mask = this.#index.length - 1;
    let gap = this.#hash(this.#slots[slot * WIDTH + HI]!, this.#slots[slot * WIDTH + LO]!) & mask;
    while (this.#index[gap] !== slot + 1) gap = (gap + 1) & mask;
    for (let place = (gap + 1) & mask; this.#index[place] !== 0; place = (place + 1) & mask) {
      const other = this.#index[place]! - 1;
      const home = this.#hash(this.#slots[other * WIDTH + HI]!, this.#slots[other * WIDTH + LO]!) & mask;
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      this.#index[gap] = other + 1;
      gap = place;
    }
    this.#index[gap] = 0;
  }

  #unlink(slot: number): void {
    const older = this.#slots[slot * WIDTH + OLDER]!;
    const younger = this.#slots[slot * WIDTH + YOUNGER]!;
    if (older === NONE) this.#oldest = younger;
    else this.#slots[older * WIDTH + YOUNGER] = younger;
    if (younger === NONE) this.#youngest = older;
    else this.#slots[younger * WIDTH + OLDER] = older;
  }

  #append(slot: number): void {
    this.#slots[slot * WIDTH + OLDER] = this.#youngest;
    this.#slots[slot * WIDTH + YOUNGER] = NONE;
    if (this.#youngest === NONE) this.#oldest = slot;
    else this.#slots[this.#youngest * WIDTH + YOUNGER] = slot;
    this.#youngest = slot;
  }
}
