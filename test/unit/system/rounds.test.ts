import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRounds } from '../../../src/system/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Rounds that take `tookMs`; when each began. */
const watched = (tookMs: number) => {
  const began: number[] = [];
  const start = performance.now();
  const rounds = createRounds({
    roundMs: 1_000,
    soonMs: 5,
    look: async () => {
      began.push(Math.round(performance.now() - start));
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      return 1_000;
    },
  });
  return { rounds, began };
};

test('nothing begins by itself; then one round follows the other', async () => {
  const { rounds, began } = watched(10);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(began).toEqual([]);
  rounds.within(0);
  await vi.advanceTimersByTimeAsync(2_100);
  expect(began.map((at) => Math.round((at - 5_000) / 10))).toEqual([0, 101, 202]);
  await rounds.stop();
});

test('the earlier wish wins, and a later one moves nothing', async () => {
  const { rounds, began } = watched(0);
  rounds.within(500);
  rounds.within(100);
  rounds.within(900);
  await vi.advanceTimersByTimeAsync(600);
  expect(began).toEqual([100]);
  await rounds.stop();
});

test('wishes during a round become one more round soon after it, never one beside it', async () => {
  const { rounds, began } = watched(50);
  rounds.within(0);
  await vi.advanceTimersByTimeAsync(20);
  rounds.within(0);
  rounds.within(7);
  rounds.within(1_000);
  await vi.advanceTimersByTimeAsync(500);
  expect(began).toHaveLength(2);
  expect(began[1]! - began[0]!).toBeGreaterThanOrEqual(55);
  expect(began[1]! - began[0]!).toBeLessThan(60);
  await rounds.stop();
});

test('a stop waits for the round that runs and begins no other', async () => {
  const { rounds, began } = watched(50);
  rounds.within(0);
  await vi.advanceTimersByTimeAsync(10);
  let ended = false;
  const stopping = rounds.stop().then(() => (ended = true));
  rounds.within(0);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  await stopping;
  expect(began).toHaveLength(1);
});
