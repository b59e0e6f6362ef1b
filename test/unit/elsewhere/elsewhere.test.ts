import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../../src/config/index.ts';
import { openElsewhere } from '../../../src/elsewhere/index.ts';
import type { Elsewhere } from '../../../src/elsewhere/index.ts';
import { companionSchema, createJudging } from '../../../src/judging/index.ts';
import type { Judging } from '../../../src/judging/index.ts';
import type { Change, GoodEntry } from '../../../src/model/index.ts';
import { applyConfiguredLists, createAlarms, createEffects } from '../../../src/operate/index.ts';
import { ask, from, registered } from '../detect/events.ts';
import { country, encodeMmdb } from '../feeds/mmdb.ts';
import { fakeRecords } from '../operate/bench.ts';

const NOW = Date.UTC(2026, 10, 20);
let folder: string;
let judging: Judging;
let elsewhere: Elsewhere;
let enforced: string[];
let said: object[];
let audited: string[];
let alarms: ReturnType<typeof createAlarms>;

const configOf = (yaml: string) => loadConfig({ text: yaml.replaceAll('DIR', folder), schema: companionSchema });
const file = (name: string, text: string | Buffer): void => writeFileSync(join(folder, name), text);

const open = async (yaml: string): Promise<void> => {
  const config = configOf(yaml);
  judging = createJudging(config, [], {
    databases: () => elsewhere?.geo.databases() ?? [],
    listed: (ip) => elsewhere?.feeds.listing(ip),
  });
  const clock = { now: () => NOW };
  const log = { info: (fields: object) => void said.push(fields), warn: () => undefined };
  alarms = createAlarms(log);
  const bugs: unknown[] = [];
  const effects = createEffects({
    mode: 'enforce',
    clock,
    lists: judging.lists,
    records: fakeRecords(),
    enforcers: () => [],
    publish: () => undefined,
  });
  effects.push(applyConfiguredLists(judging.judge.ledger, config, NOW), { by: 'companion', node: '' });
  elsewhere = await openElsewhere({
    config,
    stateDirectory: folder,
    clock,
    log,
    judging,
    effects,
    alarms,
    onBug: (bug) => bugs.push(bug),
    switches: { of: () => undefined, names: () => [], put: () => undefined, drop: () => undefined },
    audit: ({ action, subject, detail }) => void audited.push(`${action} ${subject}: ${detail}`),
    shadow: false,
    enforce: (changes: readonly Change[]) =>
      void enforced.push(...changes.map(({ op, entry }) => `${op} ${entry.kind === 'ban' ? entry.subject : ''}`)),
    resolver: {
      addresses: (name) =>
        name === 'sip.carrier.example'
          ? Promise.resolve({ ips: ['203.0.113.60'], ttlMs: 60_000 })
          : Promise.reject(new Error('there is no such name')),
      services: () => Promise.resolve([]),
    },
  });
  judging.backgrounds.forget();
};
const reload = (yaml: string, path: string): void => {
  const next = configOf(yaml);
  for (const { covers, apply } of [...judging.swaps, ...elsewhere.swaps]) if (covers.test(path)) apply(next);
};
const judge = (ip: string) => {
  const event = ask(NOW, from(ip), 'INVITE', '100');
  const verdict = judging.judged(event);
  elsewhere.see(event, verdict);
  return verdict;
};

const good = (ip: string): GoodEntry => ({
  kind: 'good',
  ip,
  port: 5060,
  user: 'alice',
  since: NOW,
  until: null,
  origin: 'detector',
  reason: 'test',
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  enforced = [];
  said = [];
  audited = [];
});
afterEach(async () => {
  await elsewhere.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('what is learned from elsewhere', () => {
  test('countries: blocked, and open again after a reload', async () => {
    file('c.mmdb', encodeMmdb({ type: 'Test-Country', builtAt: NOW, entries: [['203.0.113.0/24', country('RU')]] }));
    const base = 'geo: { files: [DIR/c.mmdb], download: [] }\n';
    await open(`${base}blocked_countries: [RU]`);
    expect(judge('203.0.113.7')).toMatchObject({ answer: 'drop', reason: 'country RU is blocked' });
    expect(enforced).toEqual([]);
    judge('203.0.113.7');
    const away = said.filter((line) => (line as { event?: string }).event === 'turned-away');
    expect(away).toEqual([
      {
        event: 'turned-away',
        src: '203.0.113.7',
        state: 'denied',
        reason: 'country RU is blocked',
        country: 'RU',
        asn: 0,
        shadow: false,
      },
    ]);
    expect(elsewhere.turnedAwayByCountry()).toEqual({ RU: 2 });
    expect(audited).toEqual([]);
    reload(`${base}blocked_countries: []`, 'blocked_countries');
    expect(judge('203.0.113.7').answer).toBe('allow');
    reload(`${base}allowed_countries: [DE]`, 'allowed_countries');
    expect(judge('203.0.113.7').answer).toBe('drop');
    expect(judge('198.51.100.1').answer).toBe('allow');
  });

  test('a long deny list: in companion, not in the servers; who comes is pushed; allow wins', async () => {
    file('big', Array.from({ length: 60_000 }, (_, n) => `60.${n >> 8}.${n & 255}.0/24`).join('\n'));
    const base = 'lists: [{ file: DIR/big, kind: deny, note: bought }]\n';
    await open(`${base}allow: [60.0.7.1]`);
    expect(enforced).toEqual([]);
    expect(judge('60.0.7.9')).toMatchObject({ state: 'denied', answer: 'drop' });
    expect(judge('60.0.7.1').answer).toBe('allow');
    expect(judge('60.255.7.1').answer).toBe('allow');
    expect(enforced).toEqual(['put 60.0.7.9']);
    expect(judging.lists.deciding('60.0.7.9')).toMatchObject({
      kind: 'deny',
      subject: '60.0.7.0/24',
      author: `file:${join(folder, 'big')}`,
      note: 'bought',
    });
    expect([judging.judge.ledger.count('deny'), judging.lists.tabledCount]).toEqual([0, 60_000]);
    reload('lists: []', 'lists');
    await vi.waitFor(() => expect(judge('60.0.7.9').answer).toBe('allow'));
    expect(enforced).toEqual(['put 60.0.7.9', 'remove 60.0.7.9']);
  });

  test('a long deny list takes the privilege of phones that it shuts out', async () => {
    file('big', '203.0.113.7\n');
    await open('lists: [{ file: DIR/big, kind: deny }]');
    expect(judge('60.0.7.9').answer).toBe('allow');
    judging.judge.ledger.put(good('60.0.7.9'));
    file('big', Array.from({ length: 60_000 }, (_, n) => `60.${n >> 8}.${n & 255}.0/24`).join('\n'));
    await vi.waitFor(() => expect(judge('60.0.7.9').answer).toBe('drop'), 5_000);
    await vi.waitFor(() => expect(judging.judge.ledger.count('good')).toBe(0));
  });

  test('a feed: who comes is pushed once; whoever registers there is nobody to turn away; off again after a reload', async () => {
    file('list', '203.0.113.7\n203.0.113.8\n198.51.100.5\n');
    const yaml = 'allow: [198.51.100.0/24]\nfeeds: [{ name: mine, type: list, file: DIR/list }]\ngeo: { download: [] }';
    await open(yaml);
    expect(judge('203.0.113.7').answer).toBe('allow');
    await elsewhere.feeds.look();
    expect(judge('203.0.113.7')).toMatchObject({ answer: 'drop', state: 'banned', reason: 'listed by mine' });
    judge('203.0.113.7');
    expect(judge('198.51.100.5').state).toBe('allowed');
    expect(enforced).toEqual(['put 203.0.113.7']);
    expect(audited).toEqual(['ban.add 203.0.113.7: listed by mine']);
    expect([...elsewhere.pushed()].map(({ subject }) => subject)).toEqual(['203.0.113.7']);
    expect(alarms.list().join()).toContain('198.51.100.5 hits 198.51.100.0/24 (allow list)');
    judging.judged(registered(NOW, from('203.0.113.8'), 'alice'));
    expect(judge('203.0.113.8').answer).toBe('allow');
    reload('allow: [198.51.100.0/24]\ngeo: { download: [] }', 'feeds');
    expect(judge('203.0.113.7').answer).toBe('allow');
    expect(enforced).toEqual(['put 203.0.113.7', 'remove 203.0.113.7']);
    expect(alarms.list()).toEqual([]);
  });

  test('names, files and peers follow a reload', async () => {
    file('deny', '203.0.113.7\n');
    const peer = '{ name: carrier, names: [sip.carrier.example], skip: [rate], requests_per_second: 1 }';
    await open(`peers: [${peer}]\nlists: [{ file: DIR/deny, kind: deny }]\ngeo: { download: [] }`);
    await vi.waitFor(() => expect(judging.lists.verdict('203.0.113.60')).toBe('allow'), 5_000);
    expect(judging.lists.peer('203.0.113.60')).toBe('carrier');
    expect([judge('203.0.113.60').answer, judge('203.0.113.60').answer]).toEqual(['allow', 'drop']);
    expect(judging.lists.verdict('203.0.113.7')).toBe('deny');
    reload('geo: { download: [] }', 'peers');
    await vi.waitFor(() => expect(judging.lists.verdict('203.0.113.60')).toBe('none'), 5_000);
    await vi.waitFor(() => expect(judging.lists.verdict('203.0.113.7')).toBe('none'), 5_000);
    expect([judge('203.0.113.60').answer, judge('203.0.113.60').answer]).toEqual(['allow', 'allow']);
  });

  test('a name by hand is looked up, survives a restart, and goes', async () => {
    await open('geo: { download: [] }');
    elsewhere.names.add('sip.carrier.example', 'trunk', 'me');
    await vi.waitFor(() => expect(judging.lists.verdict('203.0.113.60')).toBe('allow'), 5_000);
    await elsewhere.stop();
    await open('geo: { download: [] }');
    await vi.waitFor(() => expect(judging.lists.verdict('203.0.113.60')).toBe('allow'), 5_000);
    elsewhere.names.remove('sip.carrier.example');
    await vi.waitFor(() => expect(judging.lists.verdict('203.0.113.60')).toBe('none'), 5_000);
  });
});
