/** What an operator writes, and one server to whoever looks at it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configSchema, loadConfig } from '../../../src/config/index.ts';
import { withPermissions } from '../../../src/enforce/index.ts';
import type { KamailioEnforcer } from '../../../src/enforce/index.ts';
import type { Entry } from '../../../src/model/index.ts';

const schema = configSchema({ decide: z.strictObject({}), detect: z.strictObject({}), rules: [] });
const load = (text: string) => loadConfig({ text, file: 'c.yaml', schema });
const problemOf = (text: string): string => {
  try {
    load(text);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('settings', () => {
  test('are off by default, and short', () => {
    expect(load('').permissions).toEqual([]);
    expect(load('permissions: [{ file: /etc/kamailio/address.list }]').permissions).toEqual([
      {
        node: 'kamailio',
        file: '/etc/kamailio/address.list',
        table: 'address',
        allow_group: 9_001,
        deny_group: 9_002,
      },
    ]);
  });

  test.each([
    ['{ node: other, file: /x }', /c\.yaml:1:\d+ permissions\[0\]\.node is not one of the nodes/],
    ['{ node: kamailio }', /permissions\[0\].* needs either 'file'/],
    ['{ file: /x, sqlite: /y }', /needs either 'file'/],
    ['{ file: x }', /must be an absolute path/],
    ['{ file: /x, allow_group: 9002 }', /deny_group must differ from allow_group/],
    ['{ file: /x, allow_group: 0 }', /permissions\[0\]\.allow_group/],
    ['{ sqlite: /x, table: "address; DROP TABLE location" }', /must be the name of a table/],
  ])('%s', (line, problem) => {
    expect(problemOf(`permissions: [${line}]`)).toMatch(problem);
  });
});

describe('a server with permissions', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'permissions-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const applied: unknown[] = [];
  const server = {
    name: 'kamailio',
    rpc: { call: async () => ['tm'] },
    apply: (changes: unknown) => void applied.push(changes),
    poke: () => undefined,
    holds: async () => ['banned'],
    status: () => ({
      name: 'kamailio',
      state: 'connected',
      version: '5.6.3',
      uptimeSeconds: 9,
      entries: { ipban: 3 },
      drift: 0,
      lastError: '',
    }),
    counters: () => ({ restarts: 1 }),
    stop: async () => undefined,
  } as unknown as KamailioEnforcer;
  const parts = {
    clock: { now: () => performance.now() },
    log: { info: () => undefined, warn: () => undefined },
    desired: (): Iterable<Entry> => [],
  };
  const settings = { node: 'kamailio', table: 'address', allow_group: 7_001, deny_group: 7_002 };

  test('is the server itself where nothing is set', () => {
    expect(withPermissions(server, [{ ...settings, node: 'other', file: '/x' }], parts)).toBe(server);
  });

  test('is one server: both are told, and what is wrong with either shows', async () => {
    const file = join(folder, 'address.list');
    const both = withPermissions(server, [{ ...settings, file }], parts);
    await expect.poll(() => both.status().lastError).toContain('no permissions module');
    expect(readFileSync(file, 'latin1')).toMatch(/^# companion keeps groups 7001 and 7002/);
    expect(both.status()).toMatchObject({
      name: 'kamailio',
      state: 'degraded',
      version: '5.6.3',
      entries: { ipban: 3, permissions_allow: 0, permissions_deny: 0 },
    });
    both.apply([]);
    both.poke();
    expect(applied).toHaveLength(1);
    expect(await both.holds('203.0.113.1')).toEqual(['banned']);
    expect(both.counters()).toMatchObject({ restarts: 1, permissions_writes: 1 });
    await both.stop();
  });
});
