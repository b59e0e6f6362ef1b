import { expect, test } from 'vitest';
import type { UnacknowledgedOutcome } from '../../../src/model/index.ts';
import { ask, detectorsWith, feed, from, nothingKnown, OFFICE, range, rulesOf, SCANNER } from './events.ts';

const unacknowledged = (at: number, ip: string, callId: string, acked = 0): UnacknowledgedOutcome => ({
  kind: 'outcome',
  type: 'unacknowledged',
  at,
  node: 'edge1',
  source: from(ip),
  tier: 'spoofable',
  callId,
  acked,
});

/** One call in so many milliseconds, none of them acknowledged. */
const dials = (count: number, everyMs = 1_000, part: { ip?: string; acked?: number } = {}) =>
  range(1, count).map((n) => unacknowledged(n * everyMs, part.ip ?? SCANNER, `call${n}`, part.acked));

test('eight calls in ten minutes, none acknowledged: quarantined, never banned', () => {
  const found = feed(detectorsWith(), dials(8, 60_000));
  expect(found).toMatchObject([
    { rule: 'scanner.never-acks', points: 100, tier: 'spoofable', accused: { kind: 'source' }, after: 8 },
  ]);
  expect(found[0]?.evidence).toBe('8 calls within 10 min whose answer was not acknowledged in 32 s, 0 acknowledged');
});

test('over a connection it is a habit as well, no proof', () => {
  const calls = dials(8).map((call) => ({ ...call, source: from(SCANNER, 5_060, 'tcp'), tier: 'proven' as const }));
  expect(feed(detectorsWith(), calls)).toMatchObject([{ tier: 'spoofable' }]);
});

test('slower than eight in ten minutes it is not noticed', () => {
  expect(feed(detectorsWith(), dials(500, 86_000))).toEqual([]);
});

test('it takes different calls: a phone that goes on with one is one', () => {
  const calls = range(1, 200).map((n) => unacknowledged(n * 1_000, SCANNER, `call${n % 7}`));
  expect(feed(detectorsWith(), calls)).toEqual([]);
});

test('who acknowledges some is spared, unless next to none', () => {
  expect(feed(detectorsWith(), dials(20, 1_000, { acked: 2 }))).toEqual([]);
  expect(feed(detectorsWith(), dials(8, 1_000, { acked: 1 }))).toEqual([]);
  expect(feed(detectorsWith(), dials(19, 1_000, { acked: 1 }))).toMatchObject([{ after: 19 }]);
  // an office that loses one ACK in ten, all day long
  const lossy = range(1, 500).map((n) => unacknowledged(n * 10_000, OFFICE, `call${n}`, Math.min(n * 9, 200)));
  expect(feed(detectorsWith(), lossy)).toEqual([]);
});

test('it is accused again only for as many calls again, and each source for its own', () => {
  expect(feed(detectorsWith(), dials(24)).map(({ after }) => after)).toEqual([8, 16, 24]);
  const spread = range(1, 70).map((n) => unacknowledged(n * 1_000, `203.0.113.${n % 10}`, `call${n}`));
  expect(feed(detectorsWith(), spread)).toEqual([]);
});

test('a copy of a call moves it, the oldest leave the window one by one', () => {
  const detectors = detectorsWith({ scanner_never_acks: { calls: 3, window: '10s' } });
  const events = [
    unacknowledged(0, SCANNER, 'a'),
    unacknowledged(5_000, SCANNER, 'b'),
    unacknowledged(11_000, SCANNER, 'c'),
    unacknowledged(14_000, SCANNER, 'd'),
  ];
  expect(feed(detectors, events)).toMatchObject([{ at: 14_000 }]);
});

test('the allow list and our own are spared; requests and their number say nothing here', () => {
  expect(feed(detectorsWith(), dials(50), () => ({ ...nothingKnown, list: 'allow' }))).toEqual([]);
  expect(feed(detectorsWith(), dials(50), () => ({ ...nothingKnown, own: true }))).toEqual([]);
  const invites = range(1, 50).map((n) => ask(n * 60_000, from(SCANNER), 'INVITE', '100'));
  expect(rulesOf(feed(detectorsWith(), invites))).not.toContain('scanner.never-acks');
});

test('a server that tells of no call accuses nobody; the detector can be switched off', () => {
  expect(feed(detectorsWith({ scanner_never_acks: { enabled: false } }), dials(50))).toEqual([]);
});

test('sources are bounded, and who was pushed out is counted', () => {
  const detectors = detectorsWith({ scanner_never_acks: { max_sources: 10 } });
  feed(
    detectors,
    range(0, 24).map((n) => unacknowledged(n, `203.0.113.${n}`, `call${n}`)),
  );
  expect(detectors.tables()['scanner-never-acks.sources']).toEqual({ size: 10, evicted: 15 });
});
