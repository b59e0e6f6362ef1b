import { expect, test } from 'vitest';
import type { Request } from '../../../src/model/index.ts';
import { ask, detectorsWith, feed, from, OFFICE, SCANNER, view } from './events.ts';

const strict = (settings: object = {}) =>
  detectorsWith({ ip_domain: { domains: ['voip.example.net', '192.0.2.10'], ...settings } });

const to = (host: string, part: Partial<Request> = {}, toHost = 'voip.example.net', method = 'INVITE'): Request => ({
  ...ask(0, from(SCANNER), method, '100', part),
  sip: view({ method, requestHost: host, to: { display: '', user: '100', host: toHost, tag: '' } }),
});

test.each(['203.0.113.1', '203.0.113.1:5060', '[2001:db8::1]', '[2001:db8::1]:5060', '2001:db8::1'])(
  'a call to %s is doubtful, and not enough',
  (host) => {
    expect(feed(strict(), [to(host)])).toMatchObject([{ rule: 'domain.ip-literal', points: 40, tier: 'spoofable' }]);
  },
);

test('a REGISTER is, by either of its domains', () => {
  expect(feed(strict(), [to('voip.example.net', {}, '203.0.113.1', 'REGISTER')])).toHaveLength(1);
  expect(feed(strict(), [to('203.0.113.1', {}, 'voip.example.net', 'REGISTER')])).toHaveLength(1);
});

test('once in ten minutes: it never adds up', () => {
  const every = [0, 60_000, 599_000, 600_000].map((at) => ({ ...to('203.0.113.1'), at }));
  expect(feed(strict(), every).map(({ at }) => at)).toEqual([0, 600_000]);
});

test.each([
  ['a domain of ours', to('VoIP.example.NET:5061')],
  ['an address of ours', to('192.0.2.10')],
  ['another name', to('elsewhere.example')],
  ['a name of digits', to('1.2.3.example')],
  ['a ping', to('203.0.113.1', {}, '', 'OPTIONS')],
  ['a customer', to('203.0.113.1', { standing: 'good' })],
  ['an answered challenge', to('203.0.113.1', { credentials: 'bound' })],
])('%s is not', (_, request) => {
  expect(feed(strict(), [request])).toEqual([]);
});

test('a hotel whose PBX is addressed by its address is left alone: no domains, no rule', () => {
  const phones = Array.from({ length: 200 }, (_, index) => ({
    ...to('203.0.113.1', {}, '203.0.113.1', 'REGISTER'),
    at: index * 100,
    source: from(OFFICE, 10_000 + index),
  }));
  const found = feed(detectorsWith({ enumeration: { enabled: false } }), phones);
  expect(found.filter(({ rule }) => rule === 'domain.ip-literal')).toEqual([]);
});
