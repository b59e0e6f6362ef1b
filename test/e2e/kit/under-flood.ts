import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { figure } from './companion.ts';
import { tally } from './figures.ts';
import { forge } from './forge.ts';
import { HARM_MS } from './office.ts';
import type { Testbed } from './testbed.ts';
import type { Reply, Ua } from './ua.ts';

/** shared/ stands beside the checkout. */
const SIP_DATA = new URL('../../../../shared/data/sip/', import.meta.url);
/** Datagrams of every kind in the data set. */
export const EVERY_KIND: readonly string[] = ['rfc4475', 'rfc3665', 'edge', 'sipvicious'].flatMap((kind) => {
  const folder = fileURLToPath(new URL(`${kind}/`, SIP_DATA));
  return readdirSync(folder).map((file) => `${folder}${file}`);
});
const RATE = 1_000;

export interface FloodOptions {
  /** What is sent in the customer's name, over and over. */
  readonly files?: readonly string[];
  readonly seconds?: number;
  /** What the customer waits before it does anything, after the flood has begun. */
  readonly beforeMs: number;
  /** Bytes that may go out without having come in. */
  readonly freeBytes?: number;
}

/** What a customer does for as long as the flood lasts: registers, calls bob, hangs up. */
const live = async (phone: Ua, over: () => boolean): Promise<{ readonly name: string; readonly reply: Reply }[]> => {
  const done: { name: string; reply: Reply }[] = [];
  while (!over()) {
    done.push({ name: 'REGISTER', reply: await phone.register() });
    const { invite, bye } = await phone.call('bob');
    done.push({ name: 'INVITE', reply: invite }, { name: 'BYE', reply: bye });
    await sleep(300);
  }
  return done;
};

/**
 * 1,000 datagrams a second from exactly the customer's address and port: everything that the customer does ends well, it
 * gets no more bytes than were sent in its name, and no ban comes of it.
 */
export const expectUnharmed = async (bed: Testbed, phone: Ua, options: FloodOptions): Promise<void> => {
  const { files = EVERY_KIND, seconds = 10, beforeMs, freeBytes = 0 } = options;
  const [ip = ''] = phone.local.split(':');
  const heard = phone.received.length;
  const banned = [...(await bed.door.keys('ipban')).keys()];
  let over = false;
  const flood = forge(bed.lab.ready.sip, RATE, seconds, phone.local, { files }).finally(() => {
    over = true;
  });
  await sleep(beforeMs);
  const done = await live(phone, () => over);
  const forged = await flood;
  await sleep(300);
  const out = phone.received.slice(heard).reduce((sum, text) => sum + text.length, 0);
  const worst = Math.max(...done.map(({ reply }) => reply.ms));
  const why = await bed.why(ip);
  figure(`forged from ${phone.local}`, {
    datagrams: forged.sent,
    'bytes in': forged.bytes,
    'bytes out': out,
    transactions: tally(done.map(({ name, reply }) => `${name} ${reply.status}`)),
    'worst ms': Math.round(worst),
    'sent again': done.filter(({ reply }) => reply.sent > 2).length,
    state: why.state,
    rules: [...new Set(why.evidence.map(({ rule }) => rule))].join(' '),
  });
  expect(forged.sent).toBeGreaterThan(RATE * seconds * 0.95);
  expect(done.map(({ reply }) => reply.status).filter((status) => status !== 200)).toEqual([]);
  expect(worst).toBeLessThan(HARM_MS);
  expect(out).toBeLessThanOrEqual(forged.bytes + freeBytes);
  expect(why).toMatchObject({ history: [] });
  expect(why.state).not.toBe('banned');
  expect([...(await bed.door.keys('ipban')).keys()]).toEqual(banned);
  expect(why.evidence.every(({ tier }) => tier === 'spoofable')).toBe(true);
};
