import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openNameShelf } from '../../../../src/feeds/index.ts';

let folder: string;
let file: string;
let said: string[];
const open = () =>
  openNameShelf(
    file,
    { now: () => 5 },
    () => said.push('changed'),
    (problem) => said.push(problem),
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shelf-'));
  file = join(folder, 'names.json');
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('names survive a restart, once each, in small letters', () => {
  const shelf = open();
  shelf.add('SIP.Example.com.', 'carrier', 'me');
  shelf.add('sip.example.com', 'trunk', 'me');
  expect(open().rows()).toEqual([{ name: 'sip.example.com', note: 'trunk', author: 'me', since: 5 }]);
  expect([shelf.remove('sip.EXAMPLE.com'), shelf.remove('sip.example.com')]).toEqual([true, false]);
  expect(open().rows()).toEqual([]);
  expect(said).toEqual(['changed', 'changed', 'changed']);
});

test('a damaged file is told; a folder that is gone changes nothing', () => {
  writeFileSync(file, '{"a":');
  const shelf = open();
  expect(said).toEqual([expect.stringContaining('cannot be read (damaged)')]);
  rmSync(folder, { recursive: true });
  expect(() => shelf.add('a.example.com', '', 'me')).toThrow(/cannot be written .*ENOENT/);
  expect(shelf.rows()).toEqual([]);
});

test('what the file holds is names', () => {
  writeFileSync(file, JSON.stringify([{ name: '../../etc', note: '', author: '', since: 0 }]));
  expect(open().rows()).toEqual([]);
  expect(readFileSync(file, 'utf8')).toContain('etc');
});
