import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isSipFault, readSip } from '../../../src/protocol/index.ts';
import { ask, detectorsWith, feed, from, SCANNER, view } from './events.ts';
import { readTrace, SIP_DATA } from './replay-trace.ts';

const source = from(SCANNER);
const tricky = (tricks: readonly string[], at = 0, part: Parameters<typeof ask>[4] = {}) => ({
  ...ask(at, source, 'OPTIONS', '', part),
  sip: view({ method: 'OPTIONS', tricks }),
});

test.each([
  [['duplicate-from'], 40],
  [['duplicate-user-agent'], 40],
  [['folded-user-agent'], 20],
  [['space-before-colon'], 5],
  [['encoded-user'], 5],
  [['lf-only'], 5],
  [['space-before-colon', 'folded-user-agent', 'duplicate-to'], 40],
])('%j weighs %i', (tricks, points) => {
  const found = feed(detectorsWith(), [tricky(tricks)]);
  expect(found).toMatchObject([{ rule: 'scanner.trick', family: 'tool', tier: 'spoofable', points }]);
  for (const trick of tricks) expect(found[0]?.evidence).toContain(trick);
});

test('a message without tricks weighs nothing', () => {
  expect(feed(detectorsWith(), [tricky([])])).toEqual([]);
});

test('a broken phone that repeats itself never adds up', () => {
  const hour = Array.from({ length: 360 }, (_, index) => tricky(['duplicate-from'], index * 10_000));
  const found = feed(detectorsWith(), hour).filter(({ rule }) => rule === 'scanner.trick');
  // 40 points each ten minutes, in which 100 fade
  expect(found.map(({ at }) => at)).toEqual([0, 600_000, 1_200_000, 1_800_000, 2_400_000, 3_000_000]);
});

test('customers, and whoever answered a challenge, may write as they like', () => {
  expect(feed(detectorsWith(), [tricky(['duplicate-from'], 0, { standing: 'good' })])).toEqual([]);
  expect(feed(detectorsWith(), [tricky(['duplicate-from'], 0, { credentials: 'bound' })])).toEqual([]);
});

test('over a connection the tier is proven, and still one message is not enough', () => {
  const event = { ...tricky(['duplicate-from']), source: from(SCANNER, 5060, 'tcp'), tier: 'proven' as const };
  const [found] = feed(detectorsWith(), [event]);
  expect(found).toMatchObject({ tier: 'proven' });
  expect(found?.points).toBeLessThan(50);
});

test('points can be set, never to enough', () => {
  expect(feed(detectorsWith({ scanner_trick: { duplicate_points: 7 } }), [tricky(['duplicate-from'])])).toMatchObject([
    { points: 7 },
  ]);
  expect(feed(detectorsWith({ scanner_trick: { spelling_points: 0 } }), [tricky(['lf-only'])])).toEqual([]);
  expect(() => detectorsWith({ scanner_trick: { duplicate_points: 100 } })).toThrow(/99/);
});

const tricksOf = (bytes: Buffer): readonly string[] => {
  const sip = readSip(bytes);
  return isSipFault(sip) ? [] : sip.tricks;
};

test.each([
  ['s01-ws-colon', 'space-before-colon'],
  ['s06-from-dup-compact', 'duplicate-from'],
  ['s11-fold-ua', 'folded-user-agent'],
  ['f14-bare-lf', 'lf-only'],
])('%s is found to be %s', (file, trick) => {
  expect(tricksOf(readFileSync(new URL(`edge/${file}.bin`, SIP_DATA)))).toContain(trick);
});

test('genuine messages have none: RFC 3665, both recorded clients', () => {
  const flows = readdirSync(new URL('rfc3665/', SIP_DATA)).map((file) =>
    readFileSync(new URL(`rfc3665/${file}`, SIP_DATA)),
  );
  expect(flows.flatMap(tricksOf)).toEqual([]);
  for (const trace of ['client-baresip', 'client-baresip_tcp'])
    for (const event of readTrace(trace)) if (event.kind === 'request') expect(event.sip.tricks).toEqual([]);
});
