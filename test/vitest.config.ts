import { defineConfig } from 'vitest/config';

/**
 * Two projects, which `npm test` runs beside each other: everything but e2e in parallel, e2e one file at a time, because its
 * tests share ports, processes and cores.
 */
export default defineConfig({
  test: {
    root: '.',
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/{unit,contract,property}/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
