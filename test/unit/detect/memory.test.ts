import { expect, test } from 'vitest';
import { Memory } from '../../../src/detect/base/memory.ts';
import { createDetectors, detectSchema } from '../../../src/detect/index.ts';
import type { Facts } from '../../../src/model/index.ts';
import { ask, auth, detectorsWith, from, nothingKnown, parseError } from './events.ts';

test('the entry untouched for longest makes room', () => {
  const memory = new Memory<{ name: string }>(2);
  memory.take('a', () => ({ name: 'a' }));
  memory.take('b', () => ({ name: 'b' }));
  memory.take('a', () => ({ name: 'new' }));
  memory.take('c', () => ({ name: 'c' }));
  expect([memory.has('a'), memory.has('b'), memory.has('c')]).toEqual([true, false, true]);
  expect(memory.stats).toEqual({ size: 2, evicted: 1 });
});

test('weight is bounded too, but the youngest entry stays', () => {
  const memory = new Memory<{ weight: number }>(10, { maxWeight: 5, weigh: ({ weight }) => weight });
  memory.take('a', () => ({ weight: 3 }));
  const b = memory.take('b', () => ({ weight: 1 }));
  b.weight += 6;
  memory.reweigh(6);
  expect([memory.has('a'), memory.has('b'), memory.weight]).toEqual([false, true, 7]);
});

test('a million forged sources stay within every cap', () => {
  const detectors = detectorsWith({
    enumeration: { max_sources: 1_000, max_targets: 2_000, max_users: 100 },
    digest_guessing: { max_sources: 1_000, max_accounts: 2_000 },
    distributed_scan: { max_sources: 1_000, max_users: 100 },
    stale_device: { max_devices: 1_000 },
    density: { max_sources: 1_000 },
    method_bucket: { max_sources: 1_000 },
    scanner_agent: { max_sources: 1_000 },
    scanner_fingerprint: { max_sources: 1_000 },
    garbage: { max_sources: 1_000 },
  });
  const doubtful: Facts = {
    ...nothingKnown,
    agent: { pattern: 'sipsak', risk: 'medium' },
    fingerprint: { tool: 'sipp', entry: 'sipp-tag', detail: 'tag', risk: 'high' },
  };
  const broken = Buffer.from('REGISTER sip:a SIP/2.0\r\n');
  for (let index = 0; index < 1_000_000; index += 1) {
    const source = {
      ip: '',
      identity: `${index >> 16}.${(index >> 8) & 255}.${index & 255}.9`,
      port: 1,
      transport: 'udp',
    } as const;
    if (index % 8 === 1) detectors.detect(parseError(index, source, broken), doubtful);
    else if (index % 4 === 0) detectors.detect(auth(index, source, 'wrong-password', String(index)), nothingKnown);
    else detectors.detect(ask(index, source, 'REGISTER', String(index)), doubtful);
  }
  const tables = Object.entries(detectors.tables());
  expect(tables.filter(([, { size }]) => size > 1_000)).toEqual([]);
  expect(tables.filter(([, { size, evicted }]) => size > 0 && evicted === 0)).toEqual([]);
}, 60_000);

test('one source that asks for a million names stays within its cap', () => {
  const detectors = detectorsWith({ enumeration: { window: '1d' } });
  const source = from('203.0.113.1');
  for (let index = 0; index < 100_000; index += 1)
    detectors.detect(ask(index, source, 'REGISTER', `n${index}`), nothingKnown);
  expect(detectors.tables()['enumeration.sources']).toEqual({ size: 1, evicted: 0 });
}, 60_000);

test('a detector that is switched off has no table', () => {
  const config = detectSchema.parse({ enumeration: { enabled: false } });
  expect(Object.keys(createDetectors(config).tables())).not.toContain('enumeration.sources');
});

test('settings are strict', () => {
  expect(detectSchema.safeParse({ enumeration: { distnict: 5 } }).success).toBe(false);
});
