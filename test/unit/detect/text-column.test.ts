import { expect, test } from 'vitest';
import { SourceKey } from '../../../src/detect/base/source-key.ts';
import { SourceTable } from '../../../src/detect/base/source-table.ts';
import { TextColumn } from '../../../src/detect/base/text-column.ts';

const TEXTS = [
  '',
  '1',
  '100',
  'fifteen letters',
  'sixteen letters!',
  'x'.repeat(128),
  'Müller',
  'Łódź',
  '\u0000',
  'a\u0000',
];

test('a column of texts holds short and long ones, of any characters', () => {
  const table = new SourceTable(TEXTS.length);
  const column = new TextColumn(table);
  const key = new SourceKey();
  const slots = TEXTS.map((_, n) => table.take(key.read(`192.0.2.${n}`)));
  expect(slots.map((slot) => column.get(slot))).toEqual(TEXTS.map(() => undefined));
  expect(slots.some((slot) => column.has(slot) || column.is(slot, ''))).toBe(false);
  // whatever stood there before
  for (const shift of [0, 3, 7]) {
    const turned = TEXTS.map((_, n) => TEXTS[(n + shift) % TEXTS.length]!);
    for (const [n, slot] of slots.entries()) column.set(slot, turned[n]!);
    expect(slots.map((slot) => column.get(slot))).toEqual(turned);
    for (const [n, slot] of slots.entries()) expect(TEXTS.filter((text) => column.is(slot, text))).toEqual([turned[n]]);
  }
});

test('a new source finds no text of the one that made room for it', () => {
  const table = new SourceTable(1);
  const column = new TextColumn(table);
  const key = new SourceKey();
  for (const text of ['100', 'x'.repeat(40)]) {
    const slot = table.take(key.read('192.0.2.1'));
    column.set(slot, text);
    expect(column.get(table.take(key.read('192.0.2.2')))).toBeUndefined();
    expect(column.get(table.take(key.read('192.0.2.1')))).toBeUndefined();
  }
});
