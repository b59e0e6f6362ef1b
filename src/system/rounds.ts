export interface RoundsOptions {
  /** One round. @returns milliseconds until the next one. Must not reject. */
  readonly look: () => Promise<number>;
  /** The usual milliseconds between two rounds: only a wish for an earlier one counts during a round. */
  readonly roundMs: number;
  /** How soon after a round the next one begins when that was wished for meanwhile. */
  readonly soonMs: number;
}

/** One round after the other, never two at once. */
export interface Rounds {
  /** Look within so many milliseconds; a round that is due earlier stays. */
  within(delayMs: number): void;
  /** No more rounds. @returns when the one that runs has ended */
  stop(): Promise<void>;
}

/** Rounds of whatever has to be looked after for ever; the first begins with the first wish. Keeps no process alive. */
export const createRounds = ({ look, roundMs, soonMs }: RoundsOptions): Rounds => {
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  let looking = false;
  let again = false;
  let stopped = false;
  let current: Promise<void> = Promise.resolve();

  const run = async (): Promise<void> => {
    looking = true;
    again = false;
    let delayMs = roundMs;
    try {
      delayMs = await look();
    } finally {
      looking = false;
      dueAt = Infinity;
      within(again ? soonMs : delayMs);
    }
  };

  const within = (delayMs: number): void => {
    if (stopped) return;
    if (looking) {
      again ||= delayMs < roundMs;
      return;
    }
    const due = performance.now() + delayMs;
    if (due >= dueAt) return;
    clearTimeout(timer);
    dueAt = due;
    timer = setTimeout(() => {
      current = run();
    }, delayMs);
    timer.unref();
  };

  return {
    within,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
};
