import { describe, expect, test } from 'vitest';
import type { Change } from '../../../src/model/index.ts';
import { createPushedListings } from '../../../src/operate/index.ts';
import { NOW, ban, bench } from './bench.ts';

const HOUR = 3_600_000;

describe('listed addresses that the servers hold themselves', () => {
  const open = (max: number) => {
    const clock = { at: NOW, now: (): number => clock.at };
    const applied: string[] = [];
    const told = ({ op, entry }: Change): string => `${op} ${entry.kind === 'ban' ? entry.subject : entry.kind}`;
    const pushed = createPushedListings(max, clock, (changes) => applied.push(...changes.map(told)));
    return { clock, applied, pushed };
  };

  test('are those that came, for an hour, and no more than the cap', () => {
    const { clock, applied, pushed } = open(2);
    pushed.push('203.0.113.7', 'listed by voipbl', null);
    pushed.push('203.0.113.7', 'listed by voipbl', null);
    pushed.push('203.0.113.8', 'listed by voipbl', NOW + 60_000);
    expect(applied).toEqual(['put 203.0.113.7', 'put 203.0.113.8']);
    expect([...pushed.entries()].map(({ until, origin }) => [until, origin])).toEqual([
      [NOW + 60_000, 'feed'],
      [NOW + HOUR, 'feed'],
    ]);
    pushed.push('203.0.113.9', 'listed by voipbl', null);
    expect(applied.slice(2)).toEqual(['put 203.0.113.9', 'remove 203.0.113.7']);
    clock.at += HOUR - 60_000;
    pushed.push('203.0.113.9', 'listed by voipbl', null);
    expect(applied.at(-1)).toBe('put 203.0.113.9');
    expect(pushed.size).toBe(2);
  });

  test('go when they are not listed any more', () => {
    const { applied, pushed } = open(10);
    pushed.push('203.0.113.7', 'listed by voipbl', null);
    pushed.push('203.0.113.8', 'listed by voipbl', null);
    pushed.review((identity) => identity === '203.0.113.8');
    expect(applied.slice(2)).toEqual(['remove 203.0.113.7']);
  });

  test('are none where the operator wants none', () => {
    const { applied, pushed } = open(0);
    pushed.push('203.0.113.7', 'listed by voipbl', null);
    expect([applied, pushed.size]).toEqual([[], 0]);
  });
});

describe('bans for others', () => {
  test('everything at first, then what has changed since the same reader asked', async () => {
    const { operations, put } = bench();
    put(ban('203.0.113.7'));
    await operations.listAdd({ list: 'allow', subject: '192.0.2.0/24', note: '', author: 'me' });
    put({ ...ban('203.0.113.99'), origin: 'foreign' });
    const first = await operations.publishedBans('a', false);
    expect(first).toMatchObject({ whole: true, added: [{ value: '203.0.113.7' }], gone: [] });
    expect(await operations.publishedBans('a', false)).toEqual({ whole: false, added: [], gone: [] });
    await operations.banAdd({ subject: '203.0.113.8', reason: 'x', author: 'me' });
    await operations.banRemove({ subject: '203.0.113.7', author: 'me' });
    await operations.listAdd({ list: 'deny', subject: '198.51.100.0/24', note: '', author: 'me' });
    const next = await operations.publishedBans('a', false);
    expect(next.added.map(({ value }) => value)).toEqual(['203.0.113.8', '198.51.100.0/24']);
    expect(next.gone.map(({ value }) => value)).toEqual(['203.0.113.7']);
    await operations.listAdd({ list: 'deny', subject: '203.0.113.50', note: '', author: 'me' });
    expect((await operations.publishedBans('a', false)).added).toMatchObject([{ value: '203.0.113.50' }]);
    await operations.listRemove('deny', { subject: '203.0.113.50', author: 'me' });
    expect((await operations.publishedBans('a', false)).gone).toMatchObject([{ value: '203.0.113.50' }]);
    const other = await operations.publishedBans('b', false);
    expect([other.whole, other.added.length]).toEqual([true, 2]);
    expect((await operations.publishedBans('a', true)).whole).toBe(true);
  });

  test('nothing in shadow mode is news', async () => {
    const { operations } = bench({ mode: 'shadow' });
    await operations.publishedBans('a', false);
    await operations.banAdd({ subject: '203.0.113.8', reason: 'x', author: 'me' });
    expect((await operations.publishedBans('a', false)).added).toEqual([]);
  });
});
