import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createListsKeeper } from '../../../../src/feeds/index.ts';
import type { ListsKeeper } from '../../../../src/feeds/index.ts';

let directory: string;
let lists: Map<string, string[]>;
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
    const path = file('deny', '203.0.113.7\n');
    const list = { file: path, kind: 'deny', note: '' } as const;
    await open().keep({ lists: [list], names: [] });
    file(
      'deny',
      Array.from({ length: 50_001 }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`).join('\n'),
    );
    await vi.waitFor(() => expect(alarms.get(`list ${path}`)).toMatch(/50001 rows, at most 50000/), 5_000);
    writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00, 0xd8]));
    await vi.waitFor(() => expect(alarms.get(`list ${path}`)).toMatch(/not UTF-8/), 5_000);
    expect(lists.get(`deny file:${path}`)).toEqual(['203.0.113.7/32']);
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
