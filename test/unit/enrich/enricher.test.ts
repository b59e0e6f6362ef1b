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
  expect(facts('192.0.2.9', view({ userAgent: 'evildialer 2' })).agent).toEqual({ pattern: 'EvilDialer', risk: 'low' });
  expect(facts('192.0.2.9', view({ userAgent: 'sipcli' })).agent).toEqual({ pattern: 'sipcli', risk: 'low' });
});

test('a second User-Agent line is seen too', () => {
  const headers = [
    { name: 'User-Agent', value: 'Yealink' },
    { name: 'USER-AGENT', value: 'friendly-scanner' },
  ];
  expect(facts('192.0.2.9', view({ userAgent: 'Yealink', headers })).agent?.pattern).toBe('friendly-scanner');
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
