import { describe, expect, test } from 'vitest';
import type { AuditLine, Change, ListEntry, Request, Verdict } from '../../../src/model/index.ts';
import { applyConfiguredLists, createAuthoredLists, createLiveDetectors } from '../../../src/operate/index.ts';
import { HOUR, NOW, ban, bench, fakeEnforcer, fakeRecords, good } from './bench.ts';

const subjects = (rows: readonly { readonly subject: string }[]): string[] => rows.map(({ subject }) => subject);

const allow = (subject: string): ListEntry => ({
  kind: 'allow',
  subject,
  note: 'office',
  author: 'operator:root',
  origin: 'operator',
  reason: 'office',
  since: NOW,
  until: null,
});

describe('imports', () => {
  test('good rows are taken, bad ones told, ended ones left out', async () => {
    const { operations } = bench();
    const rows = [
      { subject: '203.0.113.7', note: 'x'.repeat(500) },
      { subject: '203.0.113.7' },
      { subject: '300.1.1.1' },
      { subject: '203.0.113.8', until: NOW - 1 },
      { subject: '2001:db8::5', until: null },
      { subject: '' },
    ];
    const report = await operations.banImport({ rows, author: 'operator:root' });
    expect(report).toMatchObject({ added: 2, same: 1, ended: 1 });
    expect(report.problems.map(({ row, code }) => [row, code])).toEqual([
      [2, 'ADDRESS_INVALID'],
      [5, 'ADDRESS_INVALID'],
    ]);
    const bans = await operations.banList();
    expect(bans).toMatchObject([
      { subject: '203.0.113.7', until: NOW + HOUR, origin: 'operator' },
      { subject: '2001:db8::/64', until: null },
    ]);
    expect(bans[0]?.reason).toHaveLength(200);
  });

  test('who would be hit is found for addresses, networks and IPv6 alike; --force bans all the same', async () => {
    const { operations, put, judge } = bench();
    put(good('203.0.113.7'));
    put(good('2001:db8:1::9', 'bob'));
    put(allow('198.51.100.0/24'));
    put(allow('192.0.2.77/32'));
    put(allow('2001:db8:2::5/128'));
    const rows = [
      '203.0.113.7',
      '203.0.113.0/24',
      '2001:db8:1::/48',
      '198.51.100.9',
      '192.0.2.0/24',
      '2001:db8:2::/64',
      '192.0.2.78',
    ].map((subject) => ({ subject }));
    const dry = await operations.banImport({ rows, author: 'x', dryRun: true });
    expect([dry.added, subjects(dry.problems)]).toEqual([1, rows.slice(0, 6).map(({ subject }) => subject)]);
    expect(judge.ledger.count('ban')).toBe(0);
    expect(dry.problems[1]?.message).toContain('alice at 203.0.113.7:5060');
    expect(dry.problems[4]?.message).toContain('allow entry 192.0.2.77/32');
    const forced = await operations.banImport({ rows, author: 'x', force: true });
    expect([forced.added, judge.ledger.count('good')]).toEqual([7, 0]);
  });

  test('lists, their notes, and that the same twice is nothing', async () => {
    const { operations, put, judge } = bench();
    put(good('203.0.113.7'));
    const rows = [{ subject: '203.0.113.0/24', note: 'abuse' }];
    const refused = await operations.listImport('deny', { rows, author: 'x' });
    expect(refused).toMatchObject({ added: 0, problems: [{ code: 'BAN_REFUSED' }] });
    expect(refused.problems[0]?.message).toContain('registered phone');
    expect(await operations.listAll('deny')).toEqual([]);
    expect(await operations.listImport('deny', { rows, author: 'x', force: true })).toMatchObject({ added: 1 });
    expect(judge.ledger.count('good')).toBe(0);
    expect(await operations.listImport('deny', { rows, author: 'x' })).toMatchObject({ added: 0, same: 1 });
    expect(await operations.listAll('deny')).toMatchObject([{ note: 'abuse', until: null }]);
  });

  test('a long one is pushed in slices and has one line of audit; its rows are told as parts of it', async () => {
    const said: string[] = [];
    const pushes: number[] = [];
    const enforcer = fakeEnforcer();
    const counting = { ...enforcer, apply: (changes: readonly Change[]) => void pushes.push(changes.length) };
    const { operations, events, lists } = bench({ said, enforcer: counting });
    const rows = Array.from({ length: 250 }, (_, n) => ({ subject: `10.1.${n}.0/24` }));
    const report = await operations.listImport('deny', { rows: [...rows, { subject: 'nonsense' }], author: 'ana' });
    expect(report).toMatchObject({ added: 250, problems: [{ row: 250, code: 'ADDRESS_INVALID' }] });
    expect(pushes).toEqual([100, 100, 50]);
    expect(lists.verdict('10.1.249.1')).toBe('deny');
    expect(said.filter((line) => line === 'remember put deny')).toHaveLength(250);
    expect(said.filter((line) => line.startsWith('audit'))).toEqual([
      'audit ana deny.import 10.1.0.0/24: 250 of 250 rows, to 10.1.249.0/24',
    ]);
    expect(events.map(({ bulk }) => bulk)).toEqual(rows.map(() => true));
  });

  test('a short one is told row by row, and a dry run not at all', async () => {
    const said: string[] = [];
    const { operations, events } = bench({ said });
    const rows = Array.from({ length: 250 }, (_, n) => ({ subject: `10.1.${n}.0/24` }));
    await operations.banImport({ rows, author: 'ana', dryRun: true });
    expect([said, events]).toEqual([[], []]);
    await operations.banImport({ rows: rows.slice(0, 3), author: 'ana' });
    expect(said.filter((line) => line.startsWith('audit ana ban.add'))).toHaveLength(3);
    expect(events.map(({ bulk }) => bulk)).toEqual([undefined, undefined, undefined]);
  });

  test('clear lifts everything that is held and leaves the lists', async () => {
    const { operations, put, judge, enforcer } = bench();
    for (let index = 0; index < 350; index += 1) put(ban(`10.0.${index >> 8}.${index & 255}`));
    put(allow('192.0.2.0/24'));
    expect(await operations.banClear('operator:root')).toEqual({ removed: 350 });
    expect([judge.ledger.count('ban'), judge.ledger.count('allow')]).toEqual([0, 1]);
    expect(enforcer.applied.filter(({ op }) => op === 'remove')).toHaveLength(350);
  });
});

test('lists of the configuration follow it, entries of operators stay', () => {
  const { judge } = bench();
  const none: readonly { subject: string; note: string }[] = [];
  const office = { subject: '192.0.2.0/24', note: 'office' };
  expect(applyConfiguredLists(judge.ledger, { allow: [office], deny: none }, NOW)).toHaveLength(1);
  expect(applyConfiguredLists(judge.ledger, { allow: [office], deny: none }, NOW)).toEqual([]);
  judge.ledger.put(allow('198.51.100.0/24'));
  const renamed = { ...office, note: 'branch' };
  expect(applyConfiguredLists(judge.ledger, { allow: [renamed], deny: none }, NOW)).toMatchObject([{ op: 'put' }]);
  expect(applyConfiguredLists(judge.ledger, { allow: none, deny: none }, NOW)).toMatchObject([
    { op: 'remove', entry: { subject: '192.0.2.0/24' } },
  ]);
  expect(judge.ledger.count('allow')).toBe(1);
});

test('peers of the configuration are on the allow list; who is looked at is marked for the servers', () => {
  const { judge, lists } = bench();
  const peer = { name: 'carrier', addresses: ['198.51.100.0/24'], note: 'trunk', skip: 'all' as const };
  const apply = (peers: readonly (typeof peer | { skip: string[] })[]) =>
    applyConfiguredLists(judge.ledger, { allow: [{ name: 'sip.example.com' }], deny: [], peers: peers as never }, NOW);
  const changes = apply([peer]);
  expect(changes).toMatchObject([{ op: 'put', entry: { kind: 'allow', subject: '198.51.100.0/24', peer: 'carrier' } }]);
  for (const change of changes) lists.apply(change);
  expect(lists.peer('198.51.100.9')).toBe('carrier');
  expect(lists.peer('203.0.113.9')).toBeUndefined();
  for (const change of judge.ledger.put(allow('198.51.100.9/32'))) lists.apply(change);
  expect(lists.peer('198.51.100.9')).toBe('carrier');
  expect(apply([{ ...peer, skip: ['rate'] }])).toMatchObject([{ op: 'put', entry: { checked: true } }]);
  for (const change of apply([])) lists.apply(change);
  expect(lists.peer('198.51.100.9')).toBeUndefined();
});

describe('lists that files and names stand for', () => {
  const wanted = (...subjects: string[]) => new Map(subjects.map((subject) => [subject, { subject, note: 'x' }]));

  test('follow their author, in the order in which they came, and leave others alone', async () => {
    const { judge, lists, effects, clock, bugs } = bench();
    const authored = createAuthoredLists({
      ledger: judge.ledger,
      lists,
      effects,
      clock,
      onBug: (bug) => bugs.push(bug),
    });
    effects.push(judge.ledger.put(allow('192.0.2.1/32')), { by: 'operator', author: 'operator:root' });
    const many = Array.from({ length: 450 }, (_, index) => `10.0.${index >> 8}.${index & 255}/32`);
    void authored.apply('allow', 'file:/a', wanted(...many, '192.0.2.1/32'));
    await authored.apply('allow', 'file:/a', wanted('192.0.2.1/32', '203.0.113.7/32'));
    expect(judge.ledger.count('allow')).toBe(2);
    expect([lists.verdict('10.0.0.5'), lists.verdict('203.0.113.7')]).toEqual(['none', 'allow']);
    expect(authored.authors()).toEqual([
      { list: 'allow', author: 'operator:root' },
      { list: 'allow', author: 'file:/a' },
    ]);
    expect(bugs).toEqual([]);
  });

  test('an address that a name has left stays for its grace, and comes back whole', async () => {
    const { judge, lists, effects, clock, bugs } = bench();
    const authored = createAuthoredLists({
      ledger: judge.ledger,
      lists,
      effects,
      clock,
      onBug: (bug) => bugs.push(bug),
    });
    await authored.apply('allow', 'name:a', wanted('203.0.113.7/32'), HOUR);
    await authored.apply('allow', 'name:a', wanted('203.0.113.8/32'), HOUR);
    expect(judge.ledger.get('allow 203.0.113.7/32')).toMatchObject({ until: NOW + HOUR });
    await authored.apply('allow', 'name:a', wanted('203.0.113.7/32', '203.0.113.8/32'), HOUR);
    expect(judge.ledger.get('allow 203.0.113.7/32')).toMatchObject({ until: null });
  });

  test('a deny file takes the privilege of phones that it shuts out', async () => {
    const { judge, lists, effects, clock, bugs, put } = bench();
    const authored = createAuthoredLists({
      ledger: judge.ledger,
      lists,
      effects,
      clock,
      onBug: (bug) => bugs.push(bug),
    });
    put(good('203.0.113.7'));
    put(good('192.0.2.7'));
    await authored.apply('deny', 'file:/d', wanted('203.0.113.0/24'));
    expect([...judge.ledger.entries('good')]).toMatchObject([{ ip: '192.0.2.7' }]);
  });
});

test('names are imported as names, into the allow list only', async () => {
  const names = new Map<string, { name: string; note: string; author: string; since: number }>();
  const { operations } = bench({
    names: {
      rows: () => [...names.values()],
      add: (name, note, author) => {
        names.set(name, { name, note, author, since: NOW });
        return { name, since: NOW };
      },
      remove: () => false,
    },
  });
  const rows = [{ subject: 'sip.example.com', note: 'carrier' }, { subject: '192.0.2.1' }];
  const trial = { rows, author: 'me', dryRun: true };
  expect(await operations.listImport('allow', trial)).toMatchObject({ added: 2, problems: [] });
  expect(names.size).toBe(0);
  expect(await operations.listImport('allow', { rows, author: 'me' })).toMatchObject({ added: 2, problems: [] });
  expect(await operations.listImport('allow', { rows, author: 'me' })).toMatchObject({ same: 2, problems: [] });
  expect([...names.keys()]).toEqual(['sip.example.com']);
  for (const dryRun of [true, false])
    expect((await operations.listImport('deny', { rows, author: 'me', dryRun })).problems).toMatchObject([
      { row: 0, message: expect.stringContaining('only the allow list takes names') },
    ]);
  expect((await operations.banImport({ rows, author: 'me' })).problems).toMatchObject([
    { row: 0, code: 'ADDRESS_INVALID' },
    {},
  ]);
});

const request = (ip: string): Request => ({
  kind: 'request',
  at: NOW,
  node: 'edge1',
  source: { ip, identity: ip, port: 5060, transport: 'udp' },
  tier: 'spoofable',
  credentials: 'none',
  standing: 'stranger',
  sip: {
    method: 'REGISTER',
    requestUri: 'sip:example.net',
    requestUser: '',
    requestHost: 'example.net',
    from: { display: '', user: 'alice', host: '', tag: '' },
    to: { display: '', user: 'alice', host: '', tag: '' },
    callId: 'x',
    cseq: 1,
    userAgent: 'friendly-scanner',
    userAgents: ['friendly-scanner'],
    contact: '',
    viaBranch: '',
    authUser: '',
    headers: [],
    bodyStart: '',
    tricks: [],
  },
  sizeBytes: 400,
  cut: false,
});

const VERDICT: Verdict = { answer: 'allow', state: 'stranger', reason: 'nothing known', findings: [], changes: [] };

describe('traces', () => {
  test('one source only, until it is ended; sixteen at most', async () => {
    const { operations, traces } = bench();
    const seen: string[] = [];
    const stop = operations.trace('203.0.113.7', ({ what, user }) => seen.push(`${what} ${user}`));
    traces.see(request('203.0.113.7'), VERDICT);
    traces.see(request('203.0.113.8'), VERDICT);
    stop();
    stop();
    traces.see(request('203.0.113.7'), VERDICT);
    expect([seen, traces.running]).toEqual([['REGISTER alice'], 0]);
    expect(() => operations.trace('203.0.113.0/24', () => {})).toThrow(/not a single IP address/);
    for (let index = 0; index < 16; index += 1) operations.trace('203.0.113.7', () => {});
    expect(() => operations.trace('203.0.113.7', () => {})).toThrow(/16 traces run already/);
  });
});

describe('the report of attacks', () => {
  const line = (at: number, action: string, subject: string, detail: string): AuditLine => ({
    at,
    actor: 'detector',
    action,
    subject,
    detail,
  });

  test('sources by what became of them, rules, agents', async () => {
    const trail = [
      line(NOW - 1, 'ban.add', '203.0.113.7', 'enumeration.distinct; agent: friendly-scanner'),
      line(NOW - 2, 'quarantine.remove', '203.0.113.7', 'enumeration.rapid'),
      line(NOW - 3, 'quarantine.add', '203.0.113.7', 'enumeration.rapid, not banned: good-users'),
      line(NOW - 4, 'throttle-user.add', '198.51.100.1', 'digest.wrong-password'),
    ];
    const place = { country: 'RU', asn: 64_500, network: 'Example Net' };
    const background = (ip: string) => ({ place: ip === '203.0.113.7' ? place : undefined, barred: undefined });
    const { operations } = bench({ records: fakeRecords([], { decisions: () => Promise.resolve(trail) }), background });
    expect(await operations.report(HOUR)).toEqual({
      from: NOW - HOUR,
      to: NOW,
      decisions: 3,
      sourcesTotal: 2,
      sources: [
        {
          subject: '203.0.113.7',
          decisions: 2,
          first: NOW - 3,
          last: NOW - 1,
          rules: ['enumeration.distinct', 'enumeration.rapid'],
          agent: 'friendly-scanner',
          outcome: 'ban',
          place,
        },
        {
          subject: '198.51.100.1',
          decisions: 1,
          first: NOW - 4,
          last: NOW - 4,
          rules: ['digest.wrong-password'],
          agent: '',
          outcome: 'throttle-user',
        },
      ],
      rules: { 'enumeration.distinct': 1, 'enumeration.rapid': 1, 'digest.wrong-password': 1 },
      agents: { 'friendly-scanner': 1 },
      outcomes: { ban: 1, quarantine: 1, 'throttle-user': 1 },
      countries: { RU: 1 },
      cut: false,
    });
  });
});

test('addresses to complete: of the kind that is asked for, a hundred at most', async () => {
  const { operations, put } = bench();
  for (let index = 0; index < 150; index += 1) put(ban(`10.0.0.${index}`));
  put(allow('192.0.2.7/32'));
  expect(await operations.complete('held', '10.')).toHaveLength(100);
  expect(await operations.complete('any', '192')).toEqual(['192.0.2.7']);
  expect(await operations.complete('held', '192')).toEqual([]);
});

describe('detectors whose settings are swapped', () => {
  const finding = (rule: string) => ({
    rule,
    family: 'scan' as const,
    accused: { kind: 'source' as const },
    tier: 'spoofable' as const,
    points: 100,
    evidence: '',
  });
  type Config = {
    enumeration: { enabled: boolean; distinct: number };
    density: { enabled: boolean; requests: number };
  };
  const built: string[] = [];
  const create = (config: Config) => {
    const on = (Object.keys(config) as (keyof Config)[]).filter((name) => config[name].enabled);
    built.push(on.join());
    return {
      detect: () => on.map((name) => finding(`${name}.${Object.values(config[name]).at(-1)}`)),
      tables: () => ({}),
    };
  };
  const facts = { list: 'none', own: false, privateRange: false, agent: null, fingerprint: null } as const;

  test('in place where they are read at use, else that one is built anew; rules weigh or are silent', () => {
    const config: Config = { enumeration: { enabled: true, distinct: 20 }, density: { enabled: true, requests: 100 } };
    const detectors = createLiveDetectors(config, create, { 'density.100': { points: 7 } });
    const rules = (): [string, number][] =>
      detectors.detect(request('192.0.2.1'), facts).map(({ rule, points }) => [rule, points]);
    expect(rules()).toEqual([
      ['enumeration.20', 100],
      ['density.100', 7],
    ]);
    built.length = 0;
    detectors.swap({ enumeration: { enabled: true, distinct: 9 }, density: config.density });
    expect([rules()[0], built]).toEqual([['enumeration.9', 100], []]);
    detectors.swap(
      { enumeration: { enabled: false, distinct: 9 }, density: { enabled: true, requests: 5 } },
      { 'density.5': 'off' },
    );
    expect([rules(), built]).toEqual([[], ['', 'density']]);
  });
});
