import { expect, test } from 'vitest';
import { readDialled } from '../../../src/detect/enumeration/dial-prefixes.ts';
import { ask, auth, detectorsWith, feed, from, OFFICE, range, reply, SCANNER } from './events.ts';

const only = (settings: object = {}) =>
  detectorsWith({ enumeration: settings, density: { enabled: false }, method_bucket: { enabled: false } });
const dial = (numbers: readonly string[], everyMs = 900, source = from(SCANNER), start = 0) =>
  numbers.map((number, index) => ask(start + index * everyMs, source, 'INVITE', number));
const behind = (prefixes: readonly string[], number = '972598072172'): string[] =>
  prefixes.map((prefix) => `${prefix}${number}`);

test('the third dial prefix before one number is prefix hunting', () => {
  const found = feed(only(), dial(behind(['011', '9011', '00', '1010333011', '1010555011'])));
  expect(found[0]).toMatchObject({ rule: 'enumeration.prefixes', points: 100, tier: 'spoofable', after: 3 });
  expect(found[0]?.evidence).toBe('3 dial prefixes tried before …98072172: … 0119725, 90119725, 009725');
});

test('at once is soon enough, and a minute apart too', () => {
  for (const everyMs of [1, 100_000])
    expect(feed(only(), dial(behind(['011', '9011', '00']), everyMs))[0]).toMatchObject({ after: 3 });
});

test('over TCP it is proven', () => {
  const found = feed(only(), dial(behind(['011', '9011', '00']), 900, from(SCANNER, 5_060, 'tcp')));
  expect(found[0]).toMatchObject({ rule: 'enumeration.prefixes', tier: 'proven' });
});

test('blanks, dashes and parameters make no new prefix', () => {
  expect(readDialled('+972-59-807.21 72;phone-context=x')).toEqual({ prefix: '+9725', tail: '98072172' });
  const same = ['00972598072172', '00-972-598072172', '00972598072172;isub=1', '(00)972598072172'];
  expect(feed(only(), dial(same))).toEqual([]);
});

test.each(['100', '12345678', 'alice', '0123456x', ''])('%j is no dialled number', (name) => {
  expect(readDialled(name)).toBeUndefined();
});

test('the same number again and again is none', () => {
  expect(feed(only(), dial(range(1, 50).map(() => '00972598072172')))).toEqual([]);
});

test('different numbers behind one prefix are none', () => {
  expect(
    feed(only({ distinct: 1_000 }), dial(range(1, 50).map((index) => `0049301234${index * 7_919 + 100_000}`))),
  ).toEqual([]);
});

test('people of an office write one number in their own ways, and their calls are accepted', () => {
  const events = behind(['0', '0049', '+49', '49', '00049'], '3012345678').flatMap((number, index) => {
    const at = index * 1_000;
    return [
      ask(at, from(OFFICE), 'INVITE', number),
      ask(at + 50, from(OFFICE), 'INVITE', number, { credentials: 'bound' }),
      auth(at + 51, from(OFFICE), 'ok', '200', { method: 'INVITE', callId: `${OFFICE}:5060 ${number}` }),
      reply(at + 900, from(OFFICE), 404, 'INVITE', number),
    ];
  });
  expect(feed(only(), events)).toEqual([]);
});

test('where somebody has authenticated, four ways to write it are still none, five are', () => {
  const numbers = behind(['0', '0049', '+49', '49', '00049'], '3012345678');
  const found = feed(only(), [auth(0, from(OFFICE), 'ok', '200'), ...dial(numbers, 900, from(OFFICE), 1_000)]);
  expect(found[0]).toMatchObject({ rule: 'enumeration.prefixes', after: 6 });
});

test('calls that were answered are no evidence', () => {
  const numbers = behind(['0', '0049', '+49', '49'], '3012345678');
  const events = numbers.flatMap((number, index) => [
    ask(index * 5_000, from(OFFICE), 'INVITE', number),
    reply(index * 5_000 + 2_000, from(OFFICE), 486, 'INVITE', number),
  ]);
  expect(feed(only(), events)).toEqual([]);
});

test.each([
  ['not answered', 404, 3],
  ['forbidden', 403, 3],
])('a hunter with time, %s, is noticed at its third prefix, hours later', (_, code, after) => {
  const numbers = behind(['011', '9011', '00', '0011']);
  const events = numbers.flatMap((number, index) => [
    ask(index * 7_200_000, from(SCANNER), 'INVITE', number),
    reply(index * 7_200_000 + 50, from(SCANNER), code, 'INVITE', number),
  ]);
  const found = feed(only(), events);
  // two events a try
  expect(Math.ceil((found[0]?.after ?? 0) / 2)).toBe(after);
  expect(found[0]).toMatchObject({ rule: 'enumeration.prefixes', tier: 'spoofable' });
});

test('a hunter with time, to whom nothing is answered at all, is noticed as well', () => {
  expect(feed(only(), dial(behind(['011', '9011', '00']), 3_600_000))[0]).toMatchObject({ after: 3 });
});

test('three prefixes in three days are none', () => {
  expect(feed(only(), dial(behind(['011', '9011', '00']), 86_400_000))).toEqual([]);
});

test('where everything is answered, eight prefixes before one number are a hunt all the same', () => {
  const prefixes = ['0', '00', '000', '9', '90', '900', '011', '9011', '1'];
  const events = behind(prefixes).flatMap((number, index) => [
    ask(index * 60_000, from(SCANNER), 'INVITE', number),
    reply(index * 60_000 + 50, from(SCANNER), 200, 'INVITE', number),
  ]);
  expect(feed(only(), events)[0]).toMatchObject({ rule: 'enumeration.prefixes', after: 15 });
});

test('a trunk without credentials whose calls are answered may write a number in four ways in a day', () => {
  const events = behind(['0', '0049', '+49', '49'], '3012345678').flatMap((number, index) => [
    ask(index * 3_600_000, from(OFFICE), 'INVITE', number),
    reply(index * 3_600_000 + 50, from(OFFICE), 404, 'INVITE', number),
    ask(index * 3_600_000 + 60_000, from(OFFICE), 'INVITE', `0049891234${index}000`),
    reply(index * 3_600_000 + 65_000, from(OFFICE), 200, 'INVITE', `0049891234${index}000`),
  ]);
  expect(feed(only(), events)).toEqual([]);
});
