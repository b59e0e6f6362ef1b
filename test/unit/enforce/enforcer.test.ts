import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createKamailioEnforcer } from '../../../src/enforce/index.ts';
import type { ForeignKey, KamailioEnforcer, KamailioEnforcerOptions } from '../../../src/enforce/index.ts';
import { entryKey } from '../../../src/model/index.ts';
import type { BanEntry, Change, Entry, GoodEntry, ListEntry, QuarantineEntry } from '../../../src/model/index.ts';
import { FakeKamailio } from './fake-kamailio.ts';

const HOUR = 3_600_000;
let now = 1_800_000_000_000;
const clock = { now: () => now };
const base = { origin: 'detector', reason: '' } as const;
const ban = (subject: string, ms: number = HOUR): BanEntry => ({
  ...base,
  since: now,
  until: now + ms,
  kind: 'ban',
  subject,
  level: 1,
  rules: ['r'],
  evidence: [],
});
const quarantine = (subject: string, ms: number = HOUR): QuarantineEntry => ({
  ...base,
  since: now,
  until: now + ms,
  kind: 'quarantine',
  subject,
  rules: [],
  evidence: [],
});
const good = (ip: string, port: number, user: string, ms: number = HOUR): GoodEntry => ({
  ...base,
  since: now,
  until: now + ms,
  kind: 'good',
  ip,
  port,
  user,
});
const list = (kind: 'allow' | 'deny', subject: string): ListEntry => ({
  ...base,
  since: now,
  until: null,
  kind,
  subject,
  note: '',
  author: '',
});
const put = (...entries: Entry[]): Change[] => entries.map((entry) => ({ op: 'put', entry }));
const remove = (...entries: Entry[]): Change[] => entries.map((entry) => ({ op: 'remove', entry, why: 'operator' }));

const until = async (what: string, check: () => boolean): Promise<void> => {
  for (const end = performance.now() + 15_000; !check(); await sleep(2)) {
    if (performance.now() > end) throw new Error(`did not happen: ${what}`);
  }
};

describe.each([
  ['one write a request', false],
  ['many writes a request', true],
])('the Kamailio enforcer, %s', (_title, bulk) => {
  let server: FakeKamailio;
  let enforcer: KamailioEnforcer;
  let entries: Entry[];
  let foreign: ForeignKey[];
  let foreignGone: string[];
  const logged: string[] = [];

  const create = (options: Partial<KamailioEnforcerOptions> = {}): void => {
    enforcer = createKamailioEnforcer({
      name: 'edge',
      rpcUrl: server.url,
      token: 'secret',
      clock,
      desired: () => entries,
      roundMs: 40,
      onForeign: (found) => foreign.push(...found),
      onForeignGone: (keys) => foreignGone.push(...keys),
      log: { info: () => undefined, warn: (_fields, message) => logged.push(message) },
      ...options,
    });
  };
  const settled = (): Promise<void> =>
    until('settled', () => enforcer.status().state !== 'down' && enforcer.status().entries['queued'] === 0);
  const walks = (): number => enforcer.counters()['walks'] ?? 0;
  const start = async (options: Partial<KamailioEnforcerOptions> = {}): Promise<void> => {
    create(options);
    await settled();
    await until(
      'first round',
      () => (enforcer.counters()['rounds'] ?? 0) >= 1 && enforcer.status().entries['queued'] === 0,
    );
  };
  const ipban = (): string[] => [...server.table('ipban').keys()].toSorted();

  beforeEach(async () => {
    server = new FakeKamailio();
    server.token = 'secret';
    server.bulk = bulk;
    entries = [];
    foreign = [];
    foreignGone = [];
    logged.length = 0;
    await server.start();
  });
  afterEach(async () => {
    await enforcer.stop();
    await server.stop();
  });

  test('pushes the ledger: known-good first, then allow, then the rest', async () => {
    for (let n = 0; n < 100; n += 1)
      entries.push(
        ban(`198.18.0.${n}`),
        quarantine(`198.18.1.${n}`),
        good('192.0.2.1', 5000 + n, `u${n}`),
        list('deny', `10.0.${n}.0/24`),
        list('allow', `172.16.${n}.0/24`),
      );
    await start();
    const writes = server.writes();
    const kindOf = (write: string): string =>
      /companion_good|companion_net [ad]|nets|ipban|companion_state/.exec(write)?.[0] ?? write;
    const kinds = writes.map(kindOf);
    const [lastGood, firstAllow, lastAllow] = [
      kinds.lastIndexOf('companion_good'),
      kinds.indexOf('companion_net a'),
      kinds.lastIndexOf('companion_net a'),
    ];
    expect(kinds.filter((kind) => kind === 'companion_good')).toHaveLength(200);
    expect(lastGood).toBeLessThan(firstAllow);
    expect(kinds.indexOf('nets')).toBeLessThan(firstAllow);
    for (const kind of ['companion_net d', 'ipban', 'companion_state'])
      expect(kinds.indexOf(kind)).toBeGreaterThan(lastAllow);
    expect(server.table('companion_meta').get('nets')).toBe(200);
  });

  test('writes the last wish only, one call for each key at a time', async () => {
    await start();
    server.calls.length = 0;
    for (let n = 0; n < 50; n += 1)
      enforcer.apply([...put(ban('203.0.113.9', HOUR + n * 1_000)), ...remove(ban('203.0.113.9'))]);
    enforcer.apply(put(ban('203.0.113.9', 10_000)));
    await settled();
    expect(server.writes().length).toBeLessThan(4);
    expect(server.writes().at(-1)).toBe('htable.setxs ipban 203.0.113.9 companion:1:r 10');
  });

  test('lets removals and bans overtake what waits', async () => {
    await start();
    enforcer.apply(put(ban('203.0.113.1')));
    await settled();
    server.calls.length = 0;
    enforcer.apply([
      ...put(...Array.from({ length: 300 }, (_, n) => good('192.0.2.1', 5000 + n, 'u'))),
      ...put(ban('203.0.113.9')),
      ...remove(ban('203.0.113.1')),
    ]);
    await settled();
    const writes = server.writes();
    expect(writes.findIndex((write) => write.includes('203.0.113.9'))).toBeLessThan(40);
    expect(writes.findIndex((write) => write.includes('203.0.113.1'))).toBeLessThan(40);
  });

  test('keeps a network key while any of its networks stays', async () => {
    await start();
    enforcer.apply(put(list('deny', '10.0.0.0/23'), list('deny', '10.0.1.0/24'), { ...ban('10.0.1.0/24'), level: 0 }));
    await settled();
    enforcer.apply(remove(list('deny', '10.0.0.0/23'), ban('10.0.1.0/24')));
    await settled();
    expect([...server.table('companion_net').keys()]).toEqual(['d10.0.1']);
    expect(server.table('companion_meta').get('nets')).toBe(1);
  });

  test('keeps what was lifted while the server was away in mind', async () => {
    entries = [ban('203.0.113.1'), ban('203.0.113.2')];
    await start();
    await server.stop();
    await until('down', () => enforcer.status().state === 'down');
    expect(enforcer.status().lastError).toContain('no connection');
    entries = [ban('203.0.113.2'), ban('203.0.113.3')];
    enforcer.apply([...remove(ban('203.0.113.1')), ...put(ban('203.0.113.3'))]);
    expect(ipban()).toEqual(['203.0.113.1', '203.0.113.2']);
    await server.start();
    await until('mended', () => ipban().join(' ') === '203.0.113.2 203.0.113.3');
    expect(enforcer.counters()['restarts']).toBe(0);
  });

  test('pushes all again after a restart, known-good first', async () => {
    entries = [ban('203.0.113.1'), good('192.0.2.1', 5060, 'u'), quarantine('203.0.113.2')];
    await start({ roundMs: 60_000 });
    await server.restart();
    await until('back', () => server.table('companion_state').size === 1 && ipban().length === 1);
    expect(server.writes()[0]).toContain('companion_good');
    expect(enforcer.counters()['restarts']).toBe(1);
  });

  test('a poke makes it look at once', async () => {
    entries = [ban('203.0.113.1')];
    await start({ roundMs: 60_000 });
    server.boot += 1;
    server.table('ipban').clear();
    await sleep(30);
    expect(ipban()).toEqual([]);
    enforcer.poke();
    await until('back', () => ipban().length === 1);
  });

  test('a server that hangs is down after a second, and mended when it goes on', async () => {
    await start();
    server.misbehave = () => true;
    enforcer.apply(put(ban('203.0.113.9')));
    await until('down', () => enforcer.status().state === 'down');
    server.misbehave = () => false;
    await until('pushed', () => ipban().length === 1);
    await until('up', () => enforcer.status().state === 'connected');
  });

  test('a refused write makes it degraded, and is tried again', async () => {
    await start();
    server.misbehave = (call, response) => {
      if (call.method !== 'htable.setxs') return false;
      response.writeHead(200).end('{"jsonrpc":"2.0","result":{},"id":1}');
      return true;
    };
    enforcer.apply(put(ban('203.0.113.9')));
    await until('degraded', () => enforcer.status().state === 'degraded');
    expect(enforcer.status().lastError).toContain('htable.setxs');
    server.misbehave = () => false;
    await until('pushed', () => ipban().length === 1);
    await until('no drift', () => enforcer.status().drift === 0 && enforcer.status().state === 'connected');
  });

  test('never writes to a table whose keys would not end, or that is missing', async () => {
    server.endless.push('ipban');
    server.tables.delete('companion_good');
    entries = [ban('203.0.113.1'), good('192.0.2.1', 5060, 'u'), quarantine('203.0.113.2')];
    create();
    await until('pushed', () => server.table('companion_state').size === 1);
    await until('said', () => enforcer.status().state === 'degraded');
    expect(ipban()).toEqual([]);
    expect(enforcer.status().lastError).toContain("'ipban' has no autoexpire");
    expect(enforcer.status().lastError).toContain("no htable 'companion_good'");
    server.endless = ['companion_meta'];
    await until('mended', () => ipban().length === 1);
  });

  test('mends what is missing, stray or wrong; leaves foreign bans alone', async () => {
    entries = [ban('203.0.113.1'), ban('203.0.113.2'), quarantine('203.0.113.3')];
    server
      .table('ipban')
      .set('203.0.113.77', '1')
      .set('2001:db8::5', 'x')
      .set('something', 'y')
      .set('20010db800000009', 'z');
    server.table('ipban').set('203.0.113.99', 'companion:9:forgotten');
    server.table('companion_good').set('192.0.2.1:5060', '1');
    await start();
    expect(foreign.map((one) => `${one.subject} ${one.value}`)).toEqual([
      '203.0.113.77 1',
      '2001:db8::/64 x',
      'something y',
      '2001:db8:0:9::/64 z',
    ]);
    expect(ipban()).toEqual([
      '20010db800000009',
      '2001:db8::5',
      '203.0.113.1',
      '203.0.113.2',
      '203.0.113.77',
      'something',
    ]);
    expect(server.table('companion_good').size).toBe(0);
    expect(enforcer.status().entries['foreign']).toBe(4);
    server.table('ipban').delete('203.0.113.1');
    server.table('companion_state').set('q203.0.113.3', 'wrong').set('stray', 1);
    await until(
      'mended',
      () =>
        ipban().length === 6 &&
        server.table('companion_state').get('q203.0.113.3') === '1' &&
        server.table('companion_state').size === 1,
    );
    await until('no drift', () => enforcer.status().drift === 0);
    expect(foreign).toHaveLength(4);
    const before = walks();
    await sleep(200);
    expect(walks()).toBe(before);
  });

  test('a foreign ban goes when an operator lifts it, and only then', async () => {
    entries = [];
    server.table('ipban').set('203.0.113.77', '1').set('2001:db8::5', 'x').set('203.0.113.78', '1');
    await start();
    const lifted = (subject: string, origin: 'foreign' | 'operator'): Change => ({
      op: 'remove',
      entry: { ...ban(subject), origin },
      why: origin === 'operator' ? 'operator' : 'superseded',
    });
    enforcer.apply([
      lifted('203.0.113.77', 'operator'),
      lifted('2001:db8::/64', 'operator'),
      lifted('203.0.113.78', 'foreign'),
    ]);
    await until('lifted', () => ipban().length === 1);
    expect(ipban()).toEqual(['203.0.113.78']);
    expect(enforcer.status().entries['foreign']).toBe(1);
  });

  test('tells which foreign bans are gone, once, and which return', async () => {
    server.table('ipban').set('203.0.113.77', '1').set('203.0.113.78', '1').set('203.0.113.79', '1');
    await start();
    server.table('ipban').delete('203.0.113.77');
    await until('told', () => foreignGone.length === 1);
    await until('forgotten', () => enforcer.status().entries['foreign'] === 2);
    server.table('ipban').set('203.0.113.77', '2');
    await until('adopted anew', () => foreign.length === 4);
    await sleep(200);
    expect(foreignGone).toEqual(['203.0.113.77']);
  });

  test('notices a foreign ban that is gone although the counts match', async () => {
    server.table('ipban').set('203.0.113.77', '1').set('203.0.113.78', '1');
    await start();
    const before = walks();
    server.table('ipban').delete('203.0.113.77');
    server.table('ipban').set('203.0.113.80', '1');
    await until('told', () => foreignGone.length === 1);
    expect(walks()).toBe(before);
    // its place in the count is free after Kamailio's sweep: the other one is found
    now += 26_000;
    await until('the other adopted', () => foreign.some(({ key }) => key === '203.0.113.80'));
    expect(foreignGone).toEqual(['203.0.113.77']);
  });

  test('a foreign ban that has ended and is still counted is told once', async () => {
    server.table('ipban').set('203.0.113.77', '1');
    await start();
    server.misbehave = ({ method }, response) => {
      if (method !== 'htable.get') return false;
      response.writeHead(500).end('{"jsonrpc":"2.0","error":{"code":500,"message":"no such key"},"id":1}');
      return true;
    };
    await until('told', () => foreignGone.length === 1);
    await sleep(200);
    expect([foreign.length, foreignGone.length]).toEqual([1, 1]);
    server.misbehave = () => false;
    await until('back', () => foreign.length === 2);
  });

  test('finds by audit what counting cannot see', async () => {
    entries = [ban('203.0.113.1'), ban('203.0.113.2')];
    await start();
    server.table('ipban').delete('203.0.113.1');
    server.table('ipban').set('198.51.100.1', '1');
    await until('back', () => ipban().includes('203.0.113.1'));
  });

  // two seconds alone, more beside the end-to-end tests
  test('goes key by key when the dump does not come', { timeout: 30_000 }, async () => {
    entries = Array.from({ length: 3_000 }, (_, n) => ban(`198.18.${n >> 8}.${n & 255}`));
    await start();
    server.misbehave = (call, response) => {
      if (call.method !== 'htable.dump' || call.params[0] === 'companion_meta') return false;
      response.writeHead(500).end('out of memory');
      return true;
    };
    for (let n = 0; n < 3_000; n += 2) server.table('ipban').delete(`198.18.${n >> 8}.${n & 255}`);
    await until('back', () => server.table('ipban').size === 3_000);
    expect(enforcer.counters()['failedDumps']).toBe(1);
  });

  test('expired keys are not drift, and are forgotten', async () => {
    entries = [quarantine('203.0.113.1', 10_000)];
    await start();
    now += 11_000;
    const before = walks();
    await sleep(200);
    expect(walks()).toBe(before);
    expect(enforcer.status().entries['companion_state']).toBe(0);
    now += 30_000;
    await until('swept for Kamailio', () => server.table('companion_state').size === 0);
  });

  test('finds by itself what it was not told', async () => {
    await start({ roundMs: 3 });
    entries = [ban('203.0.113.1')];
    await until('pushed', () => ipban().length === 1);
    entries = [];
    await until('lifted', () => ipban().length === 0);
  });

  test('keeps to its caps: what ends first is left out', async () => {
    await start({ caps: { ipban: 10, companion_net: 3 } });
    enforcer.apply(put(...Array.from({ length: 30 }, (_, n) => ban(`198.18.0.${n}`, HOUR + n * 1_000))));
    enforcer.apply(put(list('deny', '10.0.0.0/24'), list('deny', '10.0.4.0/22'), list('allow', '2001:db8::/20')));
    await settled();
    expect(ipban()).toEqual(Array.from({ length: 10 }, (_, n) => `198.18.0.${n + 20}`));
    expect(server.table('companion_net').size).toBe(3);
    expect(enforcer.counters()['capped']).toBe(22);
    expect(enforcer.status().entries['unpushed']).toBe(1);
  });

  test('pushes no new quarantine while the server is short of memory', async () => {
    server.freeMemory = 5;
    await start();
    await until('noticed', () => logged.some((line) => line.includes('shared memory')));
    enforcer.apply(put(quarantine('203.0.113.1'), ban('203.0.113.2')));
    await until('banned', () => ipban().length === 1);
    expect(server.table('companion_state').size).toBe(0);
    expect(enforcer.counters()['held']).toBe(1);
    expect(logged.filter((line) => line.includes('shared memory'))).toHaveLength(1);
  });

  test('reads what the server knows before the first push, once', async () => {
    let reads = 0;
    entries = [ban('203.0.113.1')];
    await start({
      beforeFirstPush: async (rpc) => {
        reads += 1;
        expect(await rpc.call('core.version')).toContain('5.6');
        expect(server.writes()).toEqual([]);
        entries.push(good('192.0.2.1', 5060, 'u'));
        enforcer.apply(put(good('192.0.2.1', 5060, 'u')));
      },
    });
    expect(server.writes()[0]).toContain('companion_good');
    await server.restart();
    await until('back', () => ipban().length === 1);
    expect(reads).toBe(1);
  });

  test('what is lifted and put again while it prepares is pushed', async () => {
    entries = [ban('203.0.113.1'), ban('203.0.113.2')];
    await start();
    await server.stop();
    await until('down', () => enforcer.status().state === 'down');
    enforcer.apply([...remove(ban('203.0.113.1'), ban('203.0.113.2')), ...put(ban('203.0.113.1'))]);
    entries = [ban('203.0.113.1')];
    await server.restart();
    await until('back', () => ipban().join(' ') === '203.0.113.1');
  });

  test('says what is held for an address', async () => {
    entries = [ban('2001:db8:1:2::/64'), list('allow', '2001:db8::/40'), quarantine('2001:db8:1:2::/64')];
    await start();
    const holds = await enforcer.holds('2001:db8:1:2::99');
    expect(holds.map((line) => line.split(':')[0])).toEqual(['allowed by network', 'banned', 'quarantined']);
    expect(holds[1]).toContain('until 2026-01-01 00:00:00');
    expect(await enforcer.holds('192.0.2.1')).toEqual([]);
  });

  test('says what is held for phones and users of an address, which it is told of', async () => {
    const phone = good('192.0.2.1', 5060, 'alice');
    const user = {
      kind: 'throttle-user',
      subject: '192.0.2.1',
      user: 'bob',
      intervalSeconds: 5,
      since: 0,
      until: null,
      origin: 'detector',
      reason: 'x',
    } as const;
    entries = [phone, user];
    await start();
    expect(await enforcer.holds('192.0.2.1')).toEqual([]);
    expect(await enforcer.holds('192.0.2.1', [user, phone])).toEqual([
      expect.stringMatching(
        /^user 'bob' throttled to one attempt in 5 s: companion_state holds u192\.0\.2\.1:[0-9a-f]{32} = /,
      ),
      expect.stringMatching(/^known-good phone of 'alice': companion_good holds 192\.0\.2\.1:5060 = /),
    ]);
    const many = Array.from({ length: 25 }, (_, n) => good('192.0.2.1', 6000 + n, 'alice'));
    expect(await enforcer.holds('192.0.2.1', many)).toEqual(['5 more phones or users were not looked for']);
  });

  test('a ledger that breaks does not break it', async () => {
    let broken = true;
    create({
      desired: () => {
        if (broken) throw new Error('database is gone');
        return [ban('203.0.113.1')];
      },
    });
    await until('said', () => enforcer.status().lastError.includes('database is gone'));
    broken = false;
    await until('pushed', () => ipban().length === 1);
  });

  test('random changes end in what the ledger says', async () => {
    await start();
    const model = new Map<string, Entry>();
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let step = 0; step < 3_000; step += 1) {
      const n = random(40);
      const entry = [
        ban(`198.18.0.${n}`, HOUR + step * 1_000),
        quarantine(`198.18.0.${n}`),
        good('192.0.2.1', 5000 + (n % 5), `u${n}`),
        list('deny', `10.0.${n & 6}.0/2${2 + (n % 3)}`),
      ][random(4)];
      if (entry === undefined) continue;
      if (random(3) === 0) {
        const standing = model.get(entryKey(entry));
        model.delete(entryKey(entry));
        enforcer.apply(remove(standing ?? entry));
      } else {
        model.set(entryKey(entry), entry);
        enforcer.apply(put(entry));
      }
      entries = [...model.values()];
      if (step % 100 === 0) await sleep(1);
      if (step === 1_500) await server.restart();
    }
    await settled();
    const held = [...server.tables]
      .filter(([name]) => name !== 'companion_meta')
      .map(([name, keys]) => [name, [...keys.keys()].toSorted()]);
    await enforcer.stop();
    server.tables.forEach((table) => table.clear());
    await start();
    const fresh = [...server.tables]
      .filter(([name]) => name !== 'companion_meta')
      .map(([name, keys]) => [name, [...keys.keys()].toSorted()]);
    expect(held).toEqual(fresh);
  });
});
