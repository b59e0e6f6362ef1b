import type { Clock } from '../model/index.ts';

const WINDOW_MS = 60_000;
/** Keys counted at a time; the oldest is told first. */
const MAX_KEYS = 2_000;

interface Window {
  readonly start: number;
  said: number;
  suppressed: number;
}

/** Lets so many lines of one kind through in a minute, and counts the others. */
export interface Sampler {
  /** True when this one may be said. */
  due(key: string): boolean;
  /** Tells what was suppressed in windows that are over. Call now and then. */
  flush(): void;
  /** Tells everything that was suppressed, also in windows that go on: the service ends. */
  finish(): void;
}

/**
 * An attack is worth a line, not a line a packet.
 * @param told gets the number of lines of this kind that were not said in the last minute
 */
export const createSampler = (
  clock: Clock,
  perMinute: number,
  told: (key: string, suppressed: number) => void,
): Sampler => {
  const windows = new Map<string, Window>();
  const end = (key: string, window: Window): void => {
    windows.delete(key);
    if (window.suppressed > 0) told(key, window.suppressed);
  };
  return {
    due(key) {
      const now = clock.now();
      let window = windows.get(key);
      if (window !== undefined && now - window.start >= WINDOW_MS) {
        end(key, window);
        window = undefined;
      }
      if (window === undefined) {
        const oldest = windows.size >= MAX_KEYS ? windows.entries().next().value : undefined;
        if (oldest !== undefined) end(...oldest);
        window = { start: now, said: 0, suppressed: 0 };
        windows.set(key, window);
      }
      if (window.said < perMinute) {
        window.said += 1;
        return true;
      }
      window.suppressed += 1;
      return false;
    },
    flush() {
      const now = clock.now();
      for (const [key, window] of windows) {
        if (now - window.start < WINDOW_MS) break; // in order of their start
        end(key, window);
      }
    },
    finish() {
      for (const [key, window] of windows) end(key, window);
    },
  };
};
