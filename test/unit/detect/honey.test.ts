import { expect, test } from 'vitest';
import { companionSchema } from '../../../src/judging/index.ts';
import { createRehearsal } from '../../../src/rehearse/index.ts';
import type { Request } from '../../../src/model/index.ts';
import { ask, detectorsWith, feed, from, nothingKnown, OFFICE, SCANNER, view } from './events.ts';

const TRAPS = { users: ['7777', 'Admin'], numbers: ['+4930555000123', '4711'] };
const traps = () => detectorsWith({ honey: TRAPS, enumeration: { enabled: false } });
const udp = from(SCANNER);

test.each([
  ['a REGISTER for a trap', ask(0, udp, 'REGISTER', '7777'), 'honey.user'],
  ['in any case', ask(0, udp, 'REGISTER', 'ADMIN'), 'honey.user'],
  ['a call to it', ask(0, udp, 'INVITE', '7777'), 'honey.user'],
  ['a number', ask(0, udp, 'INVITE', '+4930555000123'), 'honey.number'],
  ['a number behind a dial prefix', ask(0, udp, 'INVITE', '9011-4930555000123;isub=1'), 'honey.number'],
  ['a short number as it stands', ask(0, udp, 'INVITE', '4711'), 'honey.number'],
])('%s is enough at once', (_, request, rule) => {
  expect(feed(traps(), [request])).toMatchObject([{ rule, points: 100, tier: 'spoofable' }]);
});

test('who calls in the name of a trap, or has credentials of one', () => {
  const sip = (part: Parameters<typeof view>[0]) => view({ method: 'INVITE', requestUser: '0301', ...part });
  const named = { ...ask(0, udp, 'INVITE', ''), sip: sip({ from: { display: '', user: '7777', host: '', tag: '' } }) };
  const guessed: Request = { ...ask(0, udp, 'INVITE', '', { credentials: 'bound' }), sip: sip({ authUser: '7777' }) };
  expect(feed(traps(), [named])).toMatchObject([{ rule: 'honey.user', tier: 'spoofable' }]);
  expect(feed(traps(), [guessed])).toMatchObject([{ rule: 'honey.user', tier: 'proven' }]);
});

test.each([
  ['another user', ask(0, udp, 'REGISTER', '7778')],
  ['a number that ends like a short trap', ask(0, udp, 'INVITE', '03014711')],
  ['a customer with a wrong number', ask(0, from(OFFICE), 'INVITE', '4711', { standing: 'good' })],
  ['a caller who has just answered the challenge', ask(0, from(OFFICE), 'INVITE', '4711', { credentials: 'bound' })],
])('%s is no hit', (_, request) => {
  expect(feed(traps(), [request])).toEqual([]);
});

test('the allow list is not accused, and without a list there is no trap', () => {
  const request = ask(0, udp, 'REGISTER', '7777');
  expect(feed(traps(), [request], () => ({ ...nothingKnown, list: 'allow' }))).toEqual([]);
  expect(feed(detectorsWith(), [request])).toEqual([]);
});

test('proven it bans at once, forged it quarantines', () => {
  for (const [transport, state] of [
    ['tcp', 'banned'],
    ['udp', 'quarantined'],
  ] as const) {
    const rehearsal = createRehearsal(companionSchema.parse({ detect: { honey: TRAPS } }), ['192.0.2.10']);
    const source = from(SCANNER, 5_060, transport);
    rehearsal.request({ ...ask(1_000, source, 'REGISTER', '7777'), inDialog: false });
    expect(rehearsal.stateOf(source.ip, source.identity)).toBe(state);
  }
});

test('what is no number is refused', () => {
  expect(() => detectorsWith({ honey: { numbers: ['0800-FLOWERS'] } })).toThrow('a number');
});
