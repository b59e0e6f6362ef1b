import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * End-to-end tests that show times, or load both cores: one at a time, with nothing else beside them. All others mostly
 * wait, and run by three; each file has loopback addresses of its own, and labs reserve their ports.
 */
const ALONE = ['evapi', 'evapi-speed', 'evapi-traps', 'flood', 'nodes', 'outage', 'restart', 'scan'].map(
  (name) => `test/e2e/${name}.test.ts`,
);

const endToEnd = {
  testTimeout: 90_000,
  hookTimeout: 90_000,
  // every `companion run` and every command compiles the same source: half of its start
  env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)) },
};

/** Their deadlines are those of a server that answers: they cannot give way to others for a second. */
const ENFORCE = ['test/unit/enforce/**/*.test.ts'];

/**
 * `npm test` runs `fast` beside `enforce` and the end-to-end tests that run by three, then those that run alone.
 */
export default defineConfig({
  test: {
    root: '.',
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/{unit,contract,property}/**/*.test.ts', 'test/*.test.ts'],
          exclude: ENFORCE,
          // against tests that hang: they give way to the end-to-end tests, so their own time says little
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'enforce',
          include: ENFORCE,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...endToEnd,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...endToEnd,
          name: 'e2e-alone',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
