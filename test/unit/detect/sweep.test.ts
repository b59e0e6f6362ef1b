import { expect, test } from 'vitest';
import type { Request } from '../../../src/model/index.ts';
import { ask, auth, detectorsWith, feed, from, OFFICE, registered, SCANNER, view } from './events.ts';

const register = (at: number, host: string, part: Partial<Request> = {}): Request => ({
  ...ask(at, from(SCANNER), 'REGISTER', '101', part),
  sip: view({ method: 'REGISTER', requestHost: host, to: { display: '', user: '101', host, tag: '' } }),
});
const sweep = (hosts: number, everyMs = 1_000, part: Partial<Request> = {}) =>
  Array.from({ length: hosts }, (_, n) => register(n * everyMs, `198.51.100.${n + 1}:5060`, part));
const found = (events: Parameters<typeof feed>[1], settings: object = {}) =>
  feed(detectorsWith({ scanner_sweep: settings }), events).filter(({ rule }) => rule === 'scanner.sweep');

test('the sixth server at which somebody wants to register is enough; that never bans', () => {
  expect(found(sweep(5))).toEqual([]);
  expect(found(sweep(6))).toMatchObject([{ tier: 'spoofable', points: 100, after: 6 }]);
  expect(found(sweep(6))[0]?.evidence).toContain('198.51.100.6');
});

test('over TCP as well it is a habit, no proof', () => {
  expect(found(sweep(6, 1_000, { tier: 'proven' }))).toMatchObject([{ tier: 'spoofable' }]);
});

test('the same two registrars again and again are a phone with a spare one', () => {
  expect(found(Array.from({ length: 200 }, (_, n) => register(n * 1_000, `198.51.100.${n % 2}`)))).toEqual([]);
});

test('one server with any number of ports, or written with brackets, is one', () => {
  expect(found(Array.from({ length: 20 }, (_, n) => register(n, `198.51.100.1:${5060 + n}`)))).toEqual([]);
  expect(found(Array.from({ length: 20 }, (_, n) => register(n, `[2001:DB8::1]:${5060 + n}`)))).toEqual([]);
});

test('names are no servers: one may serve a thousand domains', () => {
  expect(found(Array.from({ length: 50 }, (_, n) => register(n, `tenant${n}.example.net`)))).toEqual([]);
});

test('calls and pings to many of our addresses are what carriers do', () => {
  const calls = ['INVITE', 'OPTIONS'].flatMap((method) =>
    Array.from({ length: 50 }, (_, n) => ({
      ...ask(n, from(SCANNER), method, '100'),
      sip: view({ method, requestHost: `198.51.100.${n}` }),
    })),
  );
  expect(found(calls)).toEqual([]);
});

test.each([
  ['a registration', registered(4_500, from(SCANNER), '101', 600)],
  ['a right password', auth(4_500, from(SCANNER), 'ok', '101')],
])('%s at one of them begins anew', (_, success) => {
  const events = sweep(10);
  expect(found([...events.slice(0, 5), success, ...events.slice(5)])).toEqual([]);
});

test('servers further apart than the window are not counted together', () => {
  expect(found(sweep(40, 121_000))).toEqual([]);
  expect(found(sweep(40, 110_000))[0]).toMatchObject({ after: 6 });
});

test.each([
  ['known customers', { standing: 'good' as const }],
  ['who answers a challenge', { credentials: 'bound' as const }],
])('%s are nobody to be accused', (_, part) => {
  expect(found(sweep(20, 1_000, part))).toEqual([]);
});

test('two sources are two', () => {
  const other = sweep(3).map((request) => ({ ...request, source: from(OFFICE) }));
  expect(found([...sweep(6).slice(3), ...other])).toEqual([]);
});
