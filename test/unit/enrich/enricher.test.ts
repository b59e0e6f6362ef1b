import { expect, test } from 'vitest';
import { createEnricher } from '../../../src/enrich/index.ts';
import { ask, from, registered, view } from '../detect/events.ts';

const enricher = createEnricher({
  extraAgents: [{ pattern: 'EvilDialer', risk: 'low' }],
  lists: (ip) => (ip === '192.0.2.1' ? 'allow' : ip === '192.0.2.2' ? 'deny' : 'none'),
  isOwn: (ip) => ip === '192.0.2.3',
});
const facts = (ip: string, sip = view()) => enricher({ ...ask(0, from(ip), 'OPTIONS', ''), sip });

test('lists, own addresses and private ranges', () => {
  expect(facts('192.0.2.1')).toMatchObject({ list: 'allow', own: false, privateRange: false });
  expect(facts('192.0.2.2')).toMatchObject({ list: 'deny' });
  expect(facts('192.0.2.3')).toMatchObject({ list: 'none', own: true });
  expect(facts('10.1.2.3').privateRange).toBe(true);
  expect(facts('fd00::1').privateRange).toBe(true);
});

test('configured patterns join the built-in ones', () => {
  expect(facts('192.0.2.9', view({ userAgents: ['evildialer 2'] })).agent).toEqual({
    pattern: 'EvilDialer',
    risk: 'low',
  });
  expect(facts('192.0.2.9', view({ userAgents: ['sipcli'] })).agent).toEqual({ pattern: 'sipcli', risk: 'low' });
});

test.each([
  ['a second line', ['Yealink SIP-T46G', 'friendly-scanner']],
  ['the first of two', ['friendly-scanner', 'Yealink SIP-T46G']],
  ['capitals', ['FRIENDLY-SCANNER']],
  ['blanks and tabs', ['Custom \t  SIP']],
  ['control characters', ['friendly\u0000-scan\u0007ner']],
])('a User-Agent is judged in its canonical form: %s', (_, userAgents) => {
  expect(facts('192.0.2.9', view({ userAgents })).agent?.risk).toBe('low');
});

test('of several names the one with the lowest risk counts', () => {
  expect(facts('192.0.2.9', view({ userAgents: ['xlite', 'sipsak', 'sipcli'] })).agent?.pattern).toBe('sipcli');
});

test('customers are not looked at for tools', () => {
  const sip = view({ from: { display: '', user: 'nm', host: 'nm', tag: 'root' } });
  expect(facts('192.0.2.9', sip).fingerprint).toMatchObject({ tool: 'nmap', entry: 'nmap-probe-from' });
  expect(enricher({ ...ask(0, from('192.0.2.9'), 'OPTIONS', '', { standing: 'good' }), sip }).fingerprint).toBeNull();
});

test('an outcome has neither agent nor fingerprint', () => {
  expect(enricher(registered(0, from('192.0.2.9'), '200'))).toEqual({
    list: 'none',
    own: false,
    privateRange: false,
    agent: null,
    fingerprint: null,
  });
});
