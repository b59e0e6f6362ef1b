import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { figure } from './companion.ts';
import { tally } from './figures.ts';
import { shapesOf, statusOf } from './sip-text.ts';
import { openRelay, runTool } from './svtools.ts';
import type { Relay } from './svtools.ts';
import type { Testbed } from './testbed.ts';

export const METHODS = ['REGISTER', 'OPTIONS', 'INVITE'] as const;

/** What a scan may leave behind: one shape of answer to everybody, and nothing but challenges. */
export const expectNothingLearned = (answers: readonly string[]): void => {
  const [usual, ...others] = shapesOf(answers);
  expect({ usual, others }).toEqual({ usual, others: [] });
  expect(answers.map(statusOf).filter((status) => status !== 401 && status !== 407)).toEqual([]);
};

/**
 * The real svwar, with each method, as it comes and with --force, each from an address of its own: no extension is found.
 * @param ip address of the n-th run
 */
export const expectSvwarBlind = async (
  title: string,
  bed: Testbed,
  ip: (run: number) => string,
  extensions: string,
  then: (relay: Relay) => Promise<void>,
): Promise<void> => {
  const runs = METHODS.flatMap((method) => [[], ['--force']].map((flags) => ({ method, flags })));
  await Promise.all(
    runs.map(async ({ method, flags }, index) => {
      const relay = await openRelay(ip(index), bed.server);
      const where = [`--domain=${bed.domain}`, '-p', String(relay.port), relay.ip];
      const { found, output } = await runTool('svwar', ['-m', method, '-e', extensions, ...flags, ...where]);
      await sleep(100);
      relay.close();
      figure(`${title} -m ${method} ${flags.join('')}`, {
        sent: relay.sent.length,
        answers: tally(relay.answers.map(statusOf)),
        extensions: found.size,
        state: (await bed.check(relay.ip)).state,
        says: output.trim().split('\n').at(-1),
      });
      expect([...found.keys()]).toEqual([]);
      expectNothingLearned(relay.answers);
      await then(relay);
    }),
  );
};

/** The real svcrack with a list of words: no password is found. */
export const expectSvcrackBlind = async (
  bed: Testbed,
  ip: string,
  user: string,
  words: string,
  state: string,
): Promise<void> => {
  const relay = await openRelay(ip, bed.server);
  const where = [`--domain=${bed.domain}`, '-p', String(relay.port), relay.ip];
  const { found, output } = await runTool('svcrack', ['-u', user, '-d', words, ...where], 20_000);
  await sleep(100);
  relay.close();
  figure(`svcrack, ${state}`, {
    sent: relay.sent.length,
    answers: tally(relay.answers.map(statusOf)),
    passwords: found.size,
    says: output.trim().split('\n').at(-1),
  });
  expect([...found]).toEqual([]);
  expect(relay.answers.map(statusOf).filter((status) => status !== 401)).toEqual([]);
  expect((await bed.why(ip)).state).toBe(state);
};
