/** A clock that jumps from one event to the next: an hour of traffic takes as long as its messages do. */
export interface Simulation {
  /** Milliseconds. */
  readonly now: number;
  after(ms: number, run: () => void): void;
  /** Runs everything that is due until then. */
  run(until: number): void;
  /** The same pseudo-random numbers in every run. */
  random(): number;
}

interface Due {
  readonly at: number;
  /** Events of the same time happen in the order in which they were asked for. */
  readonly order: number;
  readonly run: () => void;
}

const isSooner = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** mulberry32 */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export const createSimulation = (start: number, seed: number): Simulation => {
  /** A binary heap, soonest first. */
  const heap: Due[] = [];
  let now = start;
  let order = 0;

  const push = (due: Due): void => {
    let place = heap.push(due) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isSooner(due, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = due;
  };

  const pop = (): Due | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isSooner(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isSooner(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  };

  return {
    get now() {
      return now;
    },
    after(ms, run) {
      push({ at: now + Math.max(0, ms), order: (order += 1), run });
    },
    run(until) {
      while (heap[0] !== undefined && heap[0].at <= until) {
        const due = pop()!;
        now = due.at;
        due.run();
      }
      now = until;
    },
    random: seeded(seed),
  };
};
