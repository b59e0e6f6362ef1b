import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NetworkTable } from '../../../../src/enrich/index.ts';
import { createListsKeeper } from '../../../../src/feeds/index.ts';
import type { ListsKeeper } from '../../../../src/feeds/index.ts';

let directory: string;
let lists: Map<string, string[]>;
let tables: Map<string, { readonly table: NetworkTable; readonly note: string } | undefined>;
let told: string[];
let alarms: Map<string, string>;
let keeper: ListsKeeper;
let zone: Record<string, readonly string[]>;
const before: { list: 'allow' | 'deny'; author: string }[] = [];

const open = (): ListsKeeper => {
  keeper = createListsKeeper({
    resolver: {
      addresses: (name) =>
        zone[name] === undefined
          ? Promise.reject(new Error('there is no such name'))
          : Promise.resolve({ ips: zone[name], ttlMs: 60_000 }),
      services: () => Promise.resolve([]),
    },
    clock: { now: () => Date.UTC(2026, 10, 20) },
    apply: (list, author, wanted) => {
      const rows = [...wanted.values()].map(({ subject, note, peer }) =>
        [subject, note, peer].filter((part) => part !== undefined && part !== '').join(' '),
      );
      lists.set(`${list} ${author}`, rows);
    },
    denyTable: (author, table, note) => {
      tables.set(author, table && { table, note });
      told.push(`${author} ${table === undefined ? 'dropped' : note}`);
    },
    authors: () => before,
    alarm: (name, problem) => void (problem === undefined ? alarms.delete(name) : alarms.set(name, problem)),
  });
  return keeper;
};
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lists-'));
  lists = new Map();
  tables = new Map();
  told = [];
  alarms = new Map();
  zone = {};
  before.length = 0;
});
afterEach(() => {
  keeper.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('a list file', () => {
  const TEXT = '# sipprot.denylist\n203.0.113.7\n\n198.51.100.0/24 # the old office\n2001:db8::5,note\n';

  test('is on the list, remarks and all; bad rows are told by their line', async () => {
    const path = file('deny', `${TEXT}not an address\nsip.example.com\n`);
    await open().keep({ lists: [{ file: path, kind: 'deny', note: 'from sipPROT' }], names: [] });
    expect(lists.get(`deny file:${path}`)).toEqual([
      '203.0.113.7/32 from sipPROT',
      '198.51.100.0/24 the old office',
      '2001:db8::/64 note',
    ]);
    expect(alarms.get(`list ${path}`)).toMatch(/line 7: only the allow list takes names line 6: 'not' is not an IP/);
  });

  test('is read again when it changes or is replaced, and keeps what it had when it vanishes', async () => {
    const path = file('allow', '203.0.113.7\n');
    await open().keep({ lists: [{ file: path, kind: 'allow', note: '' }], names: [] });
    file('allow', '203.0.113.8\n');
    await vi.waitFor(() => expect(lists.get(`allow file:${path}`)).toEqual(['203.0.113.8/32']), 5_000);
    rmSync(path);
    await vi.waitFor(
      () => expect(alarms.get(`list ${path}`)).toMatch(/is not there; what was read before goes on/),
      5_000,
    );
    expect(lists.get(`allow file:${path}`)).toEqual(['203.0.113.8/32']);
    file('allow', '203.0.113.9\n');
    await vi.waitFor(() => expect(lists.get(`allow file:${path}`)).toEqual(['203.0.113.9/32']), 5_000);
    expect(alarms.size).toBe(0);
  });

  test('too long, or no text, changes nothing', async () => {
    const path = file('allow', '203.0.113.7\n');
    const list = { file: path, kind: 'allow', note: '' } as const;
    await open().keep({ lists: [list], names: [] });
    file(
      'allow',
      Array.from({ length: 50_001 }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`).join('\n'),
    );
    await vi.waitFor(() => expect(alarms.get(`list ${path}`)).toMatch(/50001 rows, at most 50000/), 5_000);
    writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00, 0xd8]));
    await vi.waitFor(() => expect(alarms.get(`list ${path}`)).toMatch(/not UTF-8/), 5_000);
    expect(lists.get(`allow file:${path}`)).toEqual(['203.0.113.7/32']);
  });

  describe('of addresses to deny that is long', () => {
    const many = (count: number): string =>
      Array.from({ length: count }, (_, n) => `60.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).join('\n');
    const list = (path: string) => ({ file: path, kind: 'deny', note: 'bought' }) as const;
    const denied = (path: string, ip: string): boolean | undefined => tables.get(`file:${path}`)?.table.has(ip);

    test('is a table; remarks and columns are passed over, bad rows told by their line', async () => {
      const path = file(
        'deny',
        `# a remark, until tomorrow\r\n${many(60_000)}\n198.51.100.0/24 # office\n"203.0.113.7","somebody, until"\n\t2001:db8:1:2::5\tx\nnot an address\n10.0.0.0/8;mine\n`,
      );
      await open().keep({ lists: [list(path)], names: [] });
      for (const ip of ['60.0.0.0', '60.0.234.95', '198.51.100.9', '203.0.113.7', '2001:db8:1:2::9', '10.1.2.3'])
        expect([ip, denied(path, ip)]).toEqual([ip, true]);
      for (const ip of ['60.0.234.96', '203.0.113.8', '2001:db8:1:3::5'])
        expect([ip, denied(path, ip)]).toEqual([ip, false]);
      expect(tables.get(`file:${path}`)?.note).toBe('bought');
      expect(lists.get(`deny file:${path}`)).toEqual([]);
      expect(alarms.get(`list ${path}`)).toBe("line 60005: 'not' is no address");
      expect(keeper.stats()).toMatchObject({ files: 1, table_entries: 60_004 });
    });

    test('is rows again when it is short, and nothing when it is not configured', async () => {
      const path = file('deny', many(60_000));
      await open().keep({ lists: [list(path)], names: [] });
      expect(denied(path, '60.0.0.7')).toBe(true);
      file('deny', '203.0.113.7\n');
      await vi.waitFor(() => expect(lists.get(`deny file:${path}`)).toEqual(['203.0.113.7/32 bought']), 5_000);
      await vi.waitFor(() => expect(tables.get(`file:${path}`)).toBeUndefined());
      file('deny', many(60_000));
      await vi.waitFor(() => expect(denied(path, '60.0.0.7')).toBe(true), 5_000);
      expect(lists.get(`deny file:${path}`)).toEqual([]);
      // another note: at no moment is nobody denied
      await keeper.keep({ lists: [{ ...list(path), note: 'rented' }], names: [] });
      expect(told.slice(-2)).toEqual([`file:${path} bought`, `file:${path} rented`]);
      await keeper.keep({ lists: [], names: [] });
      expect(tables.get(`file:${path}`)).toBeUndefined();
    });

    test.each([
      [
        'something else',
        `${'<p>hello</p>\n'.repeat(20_000)}${many(50_000)}`,
        /20000 of its 70000 lines are no addresses/,
      ],
      ['rows with ends', `ip,until\n${many(60_000)}`, /its rows have ends/],
      ['too many lines', '1.2.3.4\n'.repeat(2_000_001), /2000002 lines, at most 2000000/],
    ])('%s changes nothing', async (_, text, why) => {
      const path = file('deny', many(60_000));
      await open().keep({ lists: [list(path)], names: [] });
      file('deny', text);
      await vi.waitFor(() => expect(alarms.get(`list ${path}`)).toMatch(why), 5_000);
      expect(alarms.get(`list ${path}`)).toMatch(/what was read before goes on/);
      expect(denied(path, '60.0.0.7')).toBe(true);
    });
  });

  test('may hold names, where it is an allow list', async () => {
    zone['sip.example.com'] = ['203.0.113.50'];
    const path = file('allow', 'sip.example.com # carrier\n203.0.113.7\n');
    await open().keep({ lists: [{ file: path, kind: 'allow', note: '' }], names: [] });
    await vi.waitFor(() => expect(lists.get('allow name:sip.example.com')).toEqual(['203.0.113.50/32 carrier']), 5_000);
  });

  test('that is not configured any more takes its entries with it, also those from before a restart', async () => {
    before.push(
      { list: 'deny', author: 'file:/gone' },
      { list: 'allow', author: 'name:gone.example.com' },
      { list: 'allow', author: 'operator:root' },
    );
    const path = file('deny', '203.0.113.7\n');
    await open().keep({ lists: [{ file: path, kind: 'deny', note: '' }], names: [] });
    expect(lists.get('deny file:/gone')).toEqual([]);
    expect(lists.get('allow name:gone.example.com')).toEqual([]);
    expect(lists.has('allow operator:root')).toBe(false);
    before.push({ list: 'deny', author: `file:${path}` });
    await keeper.keep({ lists: [], names: [] });
    expect(lists.get(`deny file:${path}`)).toEqual([]);
  });

  test('that cannot be read at start keeps its entries and its names from before', async () => {
    const path = join(directory, 'nowhere');
    before.push({ list: 'allow', author: `file:${path}` }, { list: 'allow', author: 'name:a.example.com' });
    await open().keep({ lists: [{ file: path, kind: 'allow', note: '' }], names: [] });
    expect(lists.size).toBe(0);
    expect(alarms.get(`list ${path}`)).toMatch(/is not there/);
  });
});

test('names of peers', async () => {
  zone['sip.carrier.example'] = ['203.0.113.60'];
  const wish = { name: 'sip.carrier.example', note: '', private: false, peer: 'carrier', checked: true };
  await open().keep({ lists: [], names: [wish] });
  await vi.waitFor(
    () => expect(lists.get('allow name:sip.carrier.example')).toEqual(['203.0.113.60/32 sip.carrier.example carrier']),
    5_000,
  );
});
