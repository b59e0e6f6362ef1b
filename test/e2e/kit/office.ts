import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { createPhone } from '../../../src/lab/index.ts';
import type { Phone, Registration } from '../../../src/lab/index.ts';
import type { BanRow } from '../../../src/model/index.ts';
import { figure, listOf } from './companion.ts';
import { spread, tally } from './figures.ts';
import type { Testbed } from './testbed.ts';

/** Beyond this a customer has been harmed (RFC 3261, Timer F). */
export const HARM_MS = 32_000;

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

export interface OfficeOptions {
  readonly bed: Testbed;
  /** All phones are behind it. */
  readonly address: string;
  readonly users: Readonly<Record<string, string>>;
  /** Somebody changed its password and did not tell the phone. */
  readonly forgetful: string;
  readonly rounds: number;
  readonly roundMs: number;
  /** In this round all phones start anew: a power cut, new ports, no nonces. */
  readonly powerCut: number;
}

/**
 * An office of phones behind one address registers at once, again and again, and after a power cut; one has a wrong
 * password. All are served, nobody is banned, and only the bad one is throttled.
 */
export const expectOfficeUnharmed = async (title: string, options: OfficeOptions): Promise<void> => {
  const { bed, address, users, forgetful: bad, rounds, roundMs, powerCut } = options;
  const phoneOf = async (user: string): Promise<Phone> => {
    const password = user === bad ? 'last-year' : users[user]!;
    return createPhone({ server: bed.server, domain: bed.domain, user, password, from: address, everyMs: 300 });
  };
  const good = Object.keys(users).filter((user) => user !== bad);
  let phones: Phone[] = [];
  const registrations: Registration[] = [];
  const forgetful = await phoneOf(bad);
  forgetful.start();
  const began = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    if (round === 0 || round === powerCut) phones = await Promise.all(good.map(async (user) => phoneOf(user)));
    registrations.push(...(await Promise.all(phones.map(async (phone) => phone.register()))));
    await sleep(Math.max(0, (round + 1) * roundMs - (performance.now() - began)));
  }
  figure(title, {
    registrations: tally(registrations.map(({ status }) => status)),
    latency: spread(registrations.map(({ latencyMs }) => latencyMs)),
    'requests sent': registrations.reduce((sum, { sent }) => sum + sent, 0),
    'wrong password': tally(forgetful.registrations.map(({ status }) => status)),
  });
  expect(registrations.filter(({ status }) => status !== 200)).toEqual([]);
  expect(Math.max(...registrations.map(({ latencyMs }) => latencyMs))).toBeLessThan(HARM_MS);
  expect(forgetful.registrations.filter(({ status }) => status === 200)).toEqual([]);

  const throttled = [...(await bed.door.keys('companion_state')).keys()];
  expect(throttled.length).toBeGreaterThan(0);
  // by (ip, port, user), and by (ip, user) where it comes from several ports
  const its = new RegExp(`^u${address}(:\\d+)?:${md5(bad)}$`);
  expect(throttled.filter((key) => !its.test(key))).toEqual([]);
  const known = [...(await bed.door.keys('companion_good')).keys()];
  for (const user of good) expect(known.some((key) => key.startsWith(address) && key.endsWith(md5(user)))).toBe(true);
  expect(known.some((key) => key.endsWith(md5(bad)))).toBe(false);
  expect((await bed.door.keys('ipban')).size).toBe(0);
  expect(await bed.why(address)).toMatchObject({ state: 'good', history: [] });
  expect(await listOf<BanRow & { readonly user: string }>(bed.lab, 'ban.list')).toMatchObject([
    { kind: 'throttle-user', user: bad },
  ]);
  for (const phone of phones) void phone.stop();
  void forgetful.stop();
};
