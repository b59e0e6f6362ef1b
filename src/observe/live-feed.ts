import type { DecisionEvent } from '../model/index.ts';

export interface LiveFeed {
  publish(event: DecisionEvent): void;
  /** @returns the function that ends the subscription */
  subscribe(listener: (event: DecisionEvent) => void): () => void;
  readonly subscribers: number;
}

/** More watchers than this are a mistake; the control socket has its own cap below it. */
const MAX_SUBSCRIBERS = 256;

/** Hands each decision to every watcher. A watcher that throws loses its subscription and hurts nobody else. */
export const createLiveFeed = (): LiveFeed => {
  const listeners = new Set<(event: DecisionEvent) => void>();
  return {
    publish(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          listeners.delete(listener);
        }
      }
    },
    subscribe(listener) {
      if (listeners.size >= MAX_SUBSCRIBERS) return () => undefined;
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get subscribers() {
      return listeners.size;
    },
  };
};
