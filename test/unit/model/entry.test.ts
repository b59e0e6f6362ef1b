import { describe, expect, test } from 'vitest';
import { entryKey, type Entry } from '../../../src/model/index.ts';

const base = { since: 1, until: null, origin: 'detector', reason: 'a reason' } as const;
const subject = '203.0.113.7';

const entries: readonly (readonly [string, Entry])[] = [
  ['ban 203.0.113.7', { ...base, kind: 'ban', subject, level: 1, rules: [], evidence: [] }],
  ['quarantine 203.0.113.7', { ...base, kind: 'quarantine', subject, rules: [], evidence: [] }],
  ['throttle 203.0.113.7', { ...base, kind: 'throttle', subject, perSecond: 5 }],
  [
    'throttle-user 203.0.113.7 * alice',
    { ...base, kind: 'throttle-user', subject, user: 'alice', intervalSeconds: 30 },
  ],
  [
    'throttle-user 203.0.113.7 5060 alice',
    { ...base, kind: 'throttle-user', subject, user: 'alice', port: 5060, intervalSeconds: 30 },
  ],
  ['good 203.0.113.7 5060 alice', { ...base, kind: 'good', ip: subject, port: 5060, user: 'alice' }],
  ['allow 203.0.113.0/24', { ...base, kind: 'allow', subject: '203.0.113.0/24', note: '', author: 'op' }],
  ['deny 203.0.113.0/24', { ...base, kind: 'deny', subject: '203.0.113.0/24', note: '', author: 'op' }],
];

describe('entryKey', () => {
  test.each(entries)('%s', (key, entry) => {
    expect(entryKey(entry)).toBe(key);
  });

  test('does not depend on what may change in an entry', () => {
    for (const [key, entry] of entries) {
      expect(entryKey({ ...entry, since: 99, until: 100, reason: 'another', origin: 'operator' })).toBe(key);
    }
  });

  test('tells users with odd names apart', () => {
    const good = (port: number, user: string): string => entryKey({ ...base, kind: 'good', ip: subject, port, user });
    expect(new Set([good(1, '2 a'), good(1, '2  a'), good(12, 'a'), good(1, '')])).toHaveLength(4);
  });
});
