import { expect, test } from 'vitest';
import { NodeLine } from '../../../src/receive/node-line.ts';

const BOOT = 'b1.2.3';
const take = (line: NodeLine, count: number): void => {
  for (let index = 0; index < count; index += 1) line.took();
};

test('the first hello is news', () => {
  expect(new NodeLine().hello(BOOT, 0, 10_000)).toBe(true);
});

test('a hello of the same start within two seconds is not', () => {
  const line = new NodeLine();
  line.hello(BOOT, 0, 10_000);
  expect(line.hello(BOOT, 0, 12_000)).toBe(false);
});

test('another start of the server is news', () => {
  const line = new NodeLine();
  line.hello(BOOT, 0, 10_000);
  expect(line.hello('b9.9.9', 0, 10_400)).toBe(true);
});

test('the same start after a silence is news', () => {
  const line = new NodeLine();
  line.hello(BOOT, 0, 10_000);
  expect(line.hello(BOOT, 0, 12_001)).toBe(true);
});

test('a line is alive for two seconds after a hello, and not before the first', () => {
  const line = new NodeLine();
  expect(line.alive(0)).toBe(false);
  line.hello(BOOT, 0, 10_000);
  expect([line.alive(12_000), line.alive(12_001)]).toEqual([true, false]);
});

test('tells that did not arrive between two hellos are lost', () => {
  const line = new NodeLine();
  line.hello(BOOT, 100, 10_000);
  take(line, 7);
  line.hello(BOOT, 110, 10_400);
  expect(line.lost).toBe(3);
});

test('nothing is lost when everything arrived', () => {
  const line = new NodeLine();
  line.hello(BOOT, 100, 10_000);
  take(line, 10);
  line.hello(BOOT, 110, 10_400);
  expect(line.lost).toBe(0);
});

test('what was sent before the first hello is not counted as lost', () => {
  const line = new NodeLine();
  line.hello(BOOT, 50_000, 10_000);
  expect(line.lost).toBe(0);
});

test('tells that overtook a hello are not counted as lost later', () => {
  const line = new NodeLine();
  line.hello(BOOT, 100, 10_000);
  take(line, 12);
  line.hello(BOOT, 110, 10_400);
  take(line, 8);
  line.hello(BOOT, 120, 10_800);
  expect(line.lost).toBe(0);
});

test('a restart of the server, whose numbers begin again, loses nothing', () => {
  const line = new NodeLine();
  line.hello(BOOT, 100_000, 10_000);
  line.hello('b9.9.9', 3, 11_000);
  take(line, 4);
  line.hello('b9.9.9', 7, 11_400);
  expect(line.lost).toBe(0);
});

test('numbers that wrap around lose nothing', () => {
  const line = new NodeLine();
  line.hello(BOOT, 2_147_483_640, 10_000);
  line.hello(BOOT, 5, 10_400);
  expect(line.lost).toBe(0);
});
