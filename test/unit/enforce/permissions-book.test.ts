/** Where the addresses stand: whatever is the operator's stays as it is. */
import Database from 'better-sqlite3';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAddressFile, mergeLines } from '../../../src/enforce/permissions/address-file.ts';
import { createAddressTable } from '../../../src/enforce/permissions/address-table.ts';
import { differenceOf, sentencesOf } from '../../../src/enforce/permissions/held.ts';
import { MAX_ROWS, covers, rowsOf } from '../../../src/enforce/permissions/rows.ts';
import type { Row } from '../../../src/enforce/permissions/rows.ts';
import type { ListEntry } from '../../../src/model/index.ts';

const GROUPS = { allow: 9_001, deny: 9_002 };
const row = (group: number, text: string): Row => {
  const [ip = '', mask = ''] = text.split('/');
  return { group, ip, mask: Number(mask) };
};
const ROWS = [row(9_001, '203.0.113.0/24'), row(9_001, '2001:db8::1/128'), row(9_002, '198.51.100.7/32')];
const BLOCK = '9001 203.0.113.0 24 0\n9001 2001:db8::1 128 0\n9002 198.51.100.7 32 0\n';
const listed = (kind: 'allow' | 'deny', subject: string, until: number | null = null): ListEntry => ({
  kind,
  subject,
  until,
  since: 0,
  origin: 'operator',
  reason: '',
  note: '',
  author: '',
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'permissions-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('rows', () => {
  test('allow before deny, ended entries left out, everybody in two halves', () => {
    const entries = [
      listed('deny', '198.51.100.7/32'),
      listed('deny', '0.0.0.0/0'),
      listed('deny', '10.0.0.0/8', 5),
      listed('allow', '2001:db8::1/128'),
      listed('allow', '203.0.113.0/24', 11),
    ];
    const { rows, left } = rowsOf(entries, GROUPS, 10);
    expect(rows.map(({ group, ip, mask }) => `${group} ${ip}/${mask}`)).toEqual([
      '9001 2001:db8::1/128',
      '9001 203.0.113.0/24',
      '9002 0.0.0.0/1',
      '9002 128.0.0.0/1',
      '9002 198.51.100.7/32',
    ]);
    expect(left).toBe(0);
  });

  test('there is an end to them', () => {
    const many = Array.from({ length: MAX_ROWS + 5 }, (_, n) =>
      listed('deny', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`),
    );
    const { rows, left } = rowsOf(many, GROUPS, 0);
    expect([rows.length, left]).toEqual([MAX_ROWS, 5]);
  });

  test.each([
    ['203.0.113.0/25', '203.0.113.127', true],
    ['203.0.113.0/25', '203.0.113.128', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['0.0.0.0/1', '2001:db8::1', false],
  ])('%s holds %s: %s', (network, ip, isHeld) => {
    expect(covers(row(1, network), ip)).toBe(isHeld);
  });
});

describe('an address file', () => {
  test.each([
    ['', ''],
    ['# mine\n\n1 10.0.0.1 32 0 gw\n', '# mine\n\n1 10.0.0.1 32 0 gw\n'],
    ['1 10.0.0.1 32', '1 10.0.0.1 32\n'],
    ['1 10.0.0.1 32 0 \xe4\xff\0\r\n 90010 1.2.3.4 32\n', '1 10.0.0.1 32 0 \xe4\xff\0\r\n 90010 1.2.3.4 32\n'],
    ['9001 1.1.1.1 32\n2 10.0.0.2 32\n\t9002 2.2.2.2 32 0 x\n3 10.0.0.3 32\n', '2 10.0.0.2 32\n3 10.0.0.3 32\n'],
    ['#9001 1.1.1.1 32\nx9001 1 2\n9001\n', '#9001 1.1.1.1 32\nx9001 1 2\n9001\n'],
  ])('%j keeps what is not ours, ours behind it', (before, kept) => {
    const after = mergeLines(before, ROWS, GROUPS);
    expect(after.startsWith(kept)).toBe(true);
    expect(after.slice(kept.length)).toMatch(/^# companion keeps groups 9001 and 9002 here[^\n]*\n/);
    expect(after.endsWith(`\n${BLOCK}`)).toBe(true);
    expect(mergeLines(after, ROWS, GROUPS)).toBe(after);
    expect(mergeLines(after, [], GROUPS).startsWith(kept)).toBe(true);
    expect(mergeLines(after, [], GROUPS)).not.toContain('203.0.113.0');
  });

  test('is made when it is missing, so that Kamailio starts; written only when it differs', async () => {
    const file = join(folder, 'address.list');
    const book = createAddressFile(file, GROUPS);
    expect(await book.write([])).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(await book.write([])).toBe(false);
    expect(await book.write(ROWS)).toBe(true);
    const inode = statSync(file).ino;
    expect(await book.write(ROWS)).toBe(false);
    expect(statSync(file).ino).toBe(inode);
    expect(readdirSync(folder)).toEqual(['address.list']);
  });

  test('keeps its mode, and a link stays a link', async () => {
    const real = join(folder, 'real');
    const link = join(folder, 'link');
    writeFileSync(real, '1 10.0.0.1 32\n');
    chmodSync(real, 0o640);
    symlinkSync(real, link);
    expect(await createAddressFile(link, GROUPS).write(ROWS)).toBe(true);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(readFileSync(real, 'latin1').endsWith(BLOCK)).toBe(true);
  });

  test('what the operator adds behind ours moves before it', async () => {
    const file = join(folder, 'address.list');
    const book = createAddressFile(file, GROUPS);
    await book.write(ROWS);
    writeFileSync(file, `${readFileSync(file, 'latin1')}5 10.5.0.0 16 0 late\n`);
    expect(await book.write(ROWS)).toBe(true);
    expect(readFileSync(file, 'latin1')).toMatch(/^5 10\.5\.0\.0 16 0 late\n# companion/);
  });

  test('that cannot be written is told in a sentence', async () => {
    await expect(createAddressFile(join(folder, 'none/address.list'), GROUPS).write(ROWS)).rejects.toThrow(
      /^Cannot write the address file .*ENOENT/,
    );
    await expect(createAddressFile(folder, GROUPS).write(ROWS)).rejects.toThrow(/is not a file/);
  });
});

describe('a sqlite table', () => {
  const SCHEMA =
    'CREATE TABLE address (id INTEGER PRIMARY KEY NOT NULL, grp INTEGER DEFAULT 1 NOT NULL, ip_addr VARCHAR(50) NOT NULL, mask INTEGER DEFAULT 32 NOT NULL, port SMALLINT DEFAULT 0 NOT NULL, tag VARCHAR(64))';
  const rows = (file: string): unknown[] => {
    const database = new Database(file, { readonly: true });
    try {
      return database.prepare('SELECT grp, ip_addr, mask, port, tag FROM address ORDER BY id').raw().all();
    } finally {
      database.close();
    }
  };

  test('holds our rows behind those of the operator, written only when it differs', async () => {
    const file = join(folder, 'kamailio.sqlite');
    const database = new Database(file);
    database.exec(SCHEMA);
    const insert = database.prepare('INSERT INTO address (grp, ip_addr, mask, port, tag) VALUES (?, ?, ?, ?, ?)');
    insert.run(1, '10.0.0.1', 32, 5060, 'gw');
    insert.run(9_001, '1.1.1.1', 32, 0, null);
    const book = createAddressTable(file, 'address', GROUPS);
    expect(await book.write(ROWS)).toBe(true);
    expect(await book.write(ROWS)).toBe(false);
    const own = ROWS.map(({ group, ip, mask }) => [group, ip, mask, 0, null]);
    expect(rows(file)).toEqual([[1, '10.0.0.1', 32, 5060, 'gw'], ...own]);
    insert.run(2, '10.2.0.0', 16, 0, 'late');
    expect(await book.write(ROWS)).toBe(true);
    expect(rows(file)).toEqual([[1, '10.0.0.1', 32, 5060, 'gw'], [2, '10.2.0.0', 16, 0, 'late'], ...own]);
    expect(await book.write([])).toBe(true);
    expect(rows(file)).toHaveLength(2);
    database.close();
  });

  test('that is missing is told in a sentence, and not made', async () => {
    const file = join(folder, 'none.sqlite');
    await expect(createAddressTable(file, 'address', GROUPS).write(ROWS)).rejects.toThrow(/db_url/);
    expect(readdirSync(folder)).toEqual([]);
    new Database(file).exec('CREATE TABLE x (y)').close();
    await expect(createAddressTable(file, 'address', GROUPS).write(ROWS)).rejects.toThrow(/permissions-create\.sql/);
  });
});

describe('what Kamailio holds', () => {
  const held = (...rows: readonly Row[]) => ({ rows, networks: rows.filter(({ mask }) => mask < 32).length });

  test('is right whatever else it holds, and in whatever form', () => {
    const other = row(1, '10.0.0.0/8');
    const same = ROWS.map((one) => ({ ...one, ip: one.ip.replace('2001:db8::1', '2001:0db8:0:0::1') }));
    expect(differenceOf(ROWS, held(other, ...same), GROUPS, 'x')).toBeUndefined();
  });

  test.each([
    [
      'networks only are missing',
      [row(1, '10.0.0.0/8'), ROWS[1]!, ROWS[2]!],
      /list of networks is full \(1\): 1 of our 1/,
    ],
    ['everything is missing', [row(1, '10.0.0.0/8')], /3 of 3 are missing, 0 are too many/],
    ['there is more', [...ROWS, row(9_002, '1.2.3.4/32')], /0 of 3 are missing, 1 are too many/],
  ])('%s', (_, rows, sentence) => {
    expect(differenceOf(ROWS, held(...rows), GROUPS, '/etc/address.list')).toMatch(sentence);
  });

  test('is named for one address', () => {
    expect(sentencesOf(held(row(3, '203.0.113.0/25'), ...ROWS), '203.0.113.9', GROUPS)).toEqual([
      "in a group of the operator's by permissions: group 3 holds 203.0.113.0/25",
      'allowed by permissions: group 9001 holds 203.0.113.0/24',
    ]);
  });
});
