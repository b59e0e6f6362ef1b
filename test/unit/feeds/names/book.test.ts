import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNameBook } from '../../../../src/feeds/index.ts';
import type { NameBook, NameResolver, NameWish } from '../../../../src/feeds/index.ts';

const MINUTE = 60_000;
let clock: { at: number; now: () => number };
let zone: Record<string, readonly string[] | Error>;
let ttlMs: number;
let said: string[];
let book: NameBook;

const resolver: NameResolver = {
  addresses: (name) => {
    const found = zone[name] ?? new Error('there is no such name');
    return found instanceof Error ? Promise.reject(found) : Promise.resolve({ ips: found, ttlMs });
  },
  services: (name) => {
    const found = zone[name] ?? new Error('there is no such name');
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  },
};
const wish = (name: string, part: Partial<NameWish> = {}): NameWish => ({ name, note: '', private: false, ...part });

beforeEach(() => {
  clock = { at: 1_000_000, now: () => clock.at };
  zone = {};
  ttlMs = 5 * MINUTE;
  said = [];
  book = createNameBook({
    resolver,
    clock,
    found: ({ name, peer }, ips) =>
      void said.push(`${name}${peer === undefined ? '' : ` of ${peer}`} → ${ips.join(' ')}`),
    gone: (name) => void said.push(`${name} gone`),
    alarm: (name, problem) => void (problem !== undefined && said.push(`! ${name} ${problem}`)),
  });
});
afterEach(() => book.stop());

describe('names', () => {
  test('are looked up at once, and again when their TTL is over', async () => {
    zone['sip.example.com'] = ['203.0.113.7', '2001:db8::7'];
    book.want('configuration', [wish('sip.example.com')]);
    await book.look();
    clock.at += 4 * MINUTE;
    await book.look();
    expect(said).toEqual(['sip.example.com → 203.0.113.7 2001:db8::7']);
    zone['sip.example.com'] = ['203.0.113.8'];
    clock.at += MINUTE;
    await book.look();
    expect(said.at(-1)).toBe('sip.example.com → 203.0.113.8');
  });

  test.each([
    [0, 29_999, 1],
    [0, 30_000, 2],
    [90 * MINUTE, 60 * MINUTE - 1, 1],
    [90 * MINUTE, 60 * MINUTE, 2],
  ])('with a TTL of %i ms are looked up within sensible bounds', async (ttl, later, lookups) => {
    ttlMs = ttl;
    zone['a.example.com'] = ['203.0.113.7'];
    book.want('configuration', [wish('a.example.com')]);
    await book.look();
    clock.at += later;
    await book.look();
    expect(book.stats()['lookups']).toBe(lookups);
  });

  test('of services lead to the addresses of all their servers', async () => {
    zone['_sip._udp.example.com'] = ['a.example.com', 'b.example.com'];
    zone['a.example.com'] = ['203.0.113.7'];
    zone['b.example.com'] = ['203.0.113.8', '203.0.113.7'];
    book.want('peers', [wish('_sip._udp.example.com', { peer: 'carrier' })]);
    await book.look();
    expect(said).toEqual(['_sip._udp.example.com of carrier → 203.0.113.7 203.0.113.8']);
    zone['_sip._udp.example.com'] = ['.'];
    clock.at += 10 * MINUTE;
    await book.look();
    expect(said.at(-1)).toContain('cannot be looked up: it leads to 0 servers');
  });

  test('that cannot be looked up keep their last addresses, and are tried again ever more rarely', async () => {
    zone['a.example.com'] = ['203.0.113.7'];
    book.want('configuration', [wish('a.example.com')]);
    await book.look();
    delete zone['a.example.com'];
    clock.at += 5 * MINUTE;
    await book.look();
    expect(said.slice(1)).toEqual([
      '! a.example.com cannot be looked up: there is no such name; its last addresses stay',
    ]);
    expect(book.stats()).toMatchObject({ failing: 1, failures: 1 });
    for (let minute = 0; minute < 120; minute += 1) {
      clock.at += MINUTE;
      await book.look();
    }
    expect(book.stats()['lookups']).toBeLessThan(25);
    zone['a.example.com'] = ['203.0.113.9'];
    clock.at += 10 * MINUTE;
    await book.look();
    expect(said.at(-1)).toBe('a.example.com → 203.0.113.9');
    expect(book.stats()['failing']).toBe(0);
  });

  test.each([
    '10.0.0.5',
    '127.0.0.1',
    '127.0.0.2',
    '169.254.1.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
  ])('never lead to %s by surprise', async (ip) => {
    zone['a.example.com'] = ['203.0.113.7', ip];
    zone['b.example.com'] = [ip];
    book.want('configuration', [wish('a.example.com'), wish('b.example.com')]);
    await book.look();
    expect(said).toContain('a.example.com → 203.0.113.7');
    expect(said.filter((line) => line.startsWith('b.example.com →'))).toEqual([]);
    expect(said.join()).toContain(`! b.example.com leads to ${ip}`);
  });

  test('lead to private addresses where somebody says so, and never to nobody', async () => {
    zone['pbx.example.com'] = ['10.0.0.5', '127.0.0.1', '0.0.0.0'];
    book.want('configuration', [wish('pbx.example.com', { private: true })]);
    await book.look();
    expect(said[0]).toBe('pbx.example.com → 10.0.0.5');
  });

  test('that suddenly lead everywhere are not believed', async () => {
    zone['a.example.com'] = Array.from({ length: 300 }, (_, index) => `203.0.${index >> 8}.${index & 255}`);
    book.want('configuration', [wish('a.example.com')]);
    await book.look();
    expect(said).toEqual([expect.stringContaining('leads to 300 addresses, more than 256')]);
  });

  test('that nobody wants any more are gone; wanted twice, they stay', async () => {
    zone['a.example.com'] = ['203.0.113.7'];
    book.want('configuration', [wish('a.example.com')]);
    book.want('/etc/list', [wish('a.example.com', { note: 'x' })]);
    await book.look();
    book.want('configuration', []);
    expect(said.filter((line) => line.endsWith('gone'))).toEqual([]);
    book.want('/etc/list', []);
    expect(said.at(-1)).toBe('a.example.com gone');
    expect(book.stats()['names']).toBe(0);
  });
});
