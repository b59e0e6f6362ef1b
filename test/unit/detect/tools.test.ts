import { expect, test } from 'vitest';
import { classifyKeepAlive } from '../../../src/protocol/index.ts';
import type { Facts } from '../../../src/model/index.ts';
import { ask, detectorsWith, feed, from, nothingKnown, parseError, SCANNER } from './events.ts';

const source = from(SCANNER);
const agent = (risk: 'low' | 'medium' | 'high'): Facts => ({ ...nothingKnown, agent: { pattern: 'sipcli', risk } });
const built = (risk: 'low' | 'medium' | 'high'): Facts => ({
  ...nothingKnown,
  fingerprint: { tool: 'sipp', entry: 'sipp-tag', detail: 'tag', risk },
});

test.each([
  ['low', 100],
  ['medium', 40],
  ['high', 15],
] as const)('a name of %s risk weighs %i', (risk, points) => {
  const found = feed(detectorsWith(), [ask(0, source, 'OPTIONS', '')], () => agent(risk));
  expect(found).toMatchObject([{ rule: 'scanner.user-agent', family: 'tool', tier: 'spoofable', points }]);
});

test.each([
  ['low', 100],
  ['medium', 50],
  ['high', 10],
] as const)('a build of %s risk weighs %i', (risk, points) => {
  const found = feed(detectorsWith(), [ask(0, source, 'OPTIONS', '')], () => built(risk));
  expect(found).toMatchObject([{ rule: 'scanner.fingerprint', family: 'tool', points }]);
});

test('doubtful names are not held against somebody who answered a challenge, tools are', () => {
  const bound = [ask(0, source, 'REGISTER', '200', { credentials: 'bound' })];
  expect(feed(detectorsWith(), bound, () => agent('medium'))).toEqual([]);
  expect(feed(detectorsWith(), bound, () => agent('low'))).toHaveLength(1);
});

test('doubtful names count once in ten minutes, tools with each request', () => {
  const often = Array.from({ length: 30 }, (_, index) => ask(index * 30_000, source, 'REGISTER', '200'));
  expect(feed(detectorsWith(), often, () => agent('medium')).map(({ at }) => at)).toEqual([0, 600_000]);
  expect(feed(detectorsWith(), often, () => built('high')).map(({ at }) => at)).toEqual([0, 600_000]);
  expect(feed(detectorsWith(), often, () => agent('low'))).toHaveLength(30);
});

test('a broken phone that repeats its mistake never adds up', () => {
  const bytes = Buffer.from('REGISTER sip:x SIP/2.0\r\nVia\r\n');
  const often = Array.from({ length: 3_600 }, (_, index) => parseError(index * 1_000, source, bytes));
  const points = feed(detectorsWith(), often).reduce((sum, finding) => sum + finding.points, 0);
  // 100 points fade in ten minutes: 600 in this hour
  expect(points).toBeLessThanOrEqual(240);
});

test('known-good sources may call themselves what they like', () => {
  expect(feed(detectorsWith(), [ask(0, source, 'REGISTER', '200', { standing: 'good' })], () => agent('low'))).toEqual(
    [],
  );
});

test.each([
  ['a datagram that is no SIP', 'udp', 'GET / HTTP/1.1\r\n\r\n', 5],
  ['a stream that is no SIP', 'tls', 'GET / HTTP/1.1\r\n\r\n', 20],
  ['broken SIP', 'tcp', 'REGISTER sip:x SIP/2.0\r\nVia\r\n', 2],
] as const)('%s over %s weighs little', (_, transport, text, points) => {
  const found = feed(detectorsWith(), [parseError(0, from(SCANNER, 5_060, transport), Buffer.from(text))]);
  expect(found).toMatchObject([{ family: 'garbage', points, tier: transport === 'udp' ? 'spoofable' : 'proven' }]);
});

const KEEP_ALIVES = [
  Buffer.alloc(0),
  Buffer.from('\r\n\r\n'),
  Buffer.from('jaK'),
  Buffer.alloc(100),
  Buffer.from('\r\n'.repeat(40)),
  Buffer.from('000100002112a442000102030405060708090a0b', 'hex'),
];

test.each(KEEP_ALIVES.map((bytes) => [bytes.toString('hex').slice(0, 20), bytes] as const))(
  'the keep-alive %s weighs nothing, here as in protocol',
  (_, bytes) => {
    expect(classifyKeepAlive(bytes)).toBeDefined();
    expect(feed(detectorsWith(), [parseError(0, source, bytes)])).toEqual([]);
  },
);
