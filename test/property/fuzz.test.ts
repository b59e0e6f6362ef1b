import { expect, test } from 'vitest';
import { fuzz } from '../fuzz/fuzz.ts';

const SEED = Date.now() % 1_000_000;

test(`twenty seconds of mutated messages break nothing (seed ${SEED})`, { timeout: 60_000 }, () => {
  const { messages, failure } = fuzz({ forMs: 20_000, seed: SEED });
  expect(failure).toBeUndefined();
  expect(messages).toBeGreaterThan(1_000);
});
