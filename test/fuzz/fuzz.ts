import { check } from './check.ts';
import { corpus } from './corpus.ts';
import { createRandom, mutate } from './mutate.ts';

export interface FuzzReport {
  readonly messages: number;
  readonly slowestMs: number;
  readonly failure?: { readonly why: string; readonly bytes: Buffer };
}

/** Mutates and checks until the time is over or something breaks. The same seed gives the same messages. */
export const fuzz = ({ forMs, seed }: { readonly forMs: number; readonly seed: number }): FuzzReport => {
  const originals = corpus();
  const random = createRandom(seed);
  const end = performance.now() + forMs;
  let messages = 0;
  let slowestMs = 0;
  for (const bytes of originals) check(bytes, random);
  while (performance.now() < end) {
    const bytes = mutate(originals, random);
    const began = performance.now();
    try {
      check(bytes, random);
    } catch (error) {
      return {
        messages,
        slowestMs,
        failure: { why: error instanceof Error ? (error.stack ?? error.message) : String(error), bytes },
      };
    }
    slowestMs = Math.max(slowestMs, performance.now() - began);
    messages += 1;
  }
  return { messages, slowestMs };
};
