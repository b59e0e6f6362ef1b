import { expect, test } from 'vitest';
import { SourceKey } from '../../../src/detect/base/source-key.ts';
import { SourceTable } from '../../../src/detect/base/source-table.ts';
import { seeded } from './events.ts';

test('every identity has a key of its own', () => {
  const key = new SourceKey();
  const identities = [
    '0.0.0.0',
    '192.0.2.1',
    '192.0.2.2',
    '255.255.255.255',
    '::/64',
    '2001:db8::/64',
    '2001:db8:1::/64',
    '2001:db8:0:1::/64',
    '2001:db8:1:2::/64',
    '0:0:0:1::/64',
    '::1:0:0:0:0/64',
    'ff::/64',
    'no address',
    'no addresz',
    '',
  ];
  const distinct = new Set(identities.map((identity) => `${key.read(identity).hi} ${key.read(identity).lo}`));
  // ::1:0:0:0:0 is 0:0:0:1:0:0:0:0
  expect(distinct.size).toBe(identities.length - 1);
});

test('neighbours share the key of their prefix', () => {
  const prefix = (identity: string): string => {
    const { hi, lo } = new SourceKey().read(identity).toPrefix();
    return `${hi} ${lo}`;
  };
  expect(prefix('192.0.2.1')).toBe(prefix('192.0.2.254'));
  expect(prefix('192.0.2.1')).not.toBe(prefix('192.0.3.1'));
  expect(prefix('2001:db8:1:2::/64')).toBe(prefix('2001:db8:1::/64'));
  expect(prefix('2001:db8:1:2::/64')).not.toBe(prefix('2001:db8:2:2::/64'));
});

test('it remembers and forgets as a list of the most recently used does', () => {
  const random = seeded(7);
  const forgotten: (string | undefined)[] = [];
  const table: SourceTable = new SourceTable(50, (slot) => forgotten.push(names.get(slot)));
  const names = table.sparse<string>();
  const numbers = table.numbers();
  const model = new Map<string, number>();
  const lost: string[] = [];
  const key = new SourceKey();
  const dropOldest = (): void => {
    const [oldest = ''] = model.keys();
    model.delete(oldest);
    lost.push(oldest);
  };
  for (let step = 0; step < 20_000; step += 1) {
    if (random() < 0.01 && model.size > 1) {
      dropOldest();
      expect(table.pop()).toBe(true);
    }
    const identity = `203.0.${Math.floor(random() * 2)}.${Math.floor(random() ** 2 * 250)}`;
    const slot = table.take(key.read(identity));
    const known = model.get(identity);
    expect(numbers[slot]).toBe(known ?? 0);
    expect(names.get(slot)).toBe(known === undefined ? undefined : identity);
    names.set(slot, identity);
    numbers[slot] = step + 1;
    model.delete(identity);
    if (known === undefined && model.size >= 50) dropOldest();
    model.set(identity, step + 1);
  }
  expect(forgotten).toEqual(lost);
  expect(table.stats).toEqual({ size: model.size, evicted: lost.length });
});

test('the last one stays', () => {
  const table = new SourceTable(3);
  table.take(new SourceKey().read('192.0.2.1'));
  expect(table.pop()).toBe(false);
});
