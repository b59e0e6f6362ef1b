import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so. @returns how long that took (ms) @throws with the sentence when it never is */
export const until = async (
  what: string,
  check: () => boolean | Promise<boolean>,
  { withinMs = 8_000, everyMs = 20 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<number> => {
  const start = performance.now();
  while (!(await check())) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(everyMs);
  }
  return performance.now() - start;
};
