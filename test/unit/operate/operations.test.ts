import { expect, test } from 'vitest';
import { HOUR, NOW, ban, bench, fakeEnforcer, fakeRecords, good, operator } from './bench.ts';

const IP = '203.0.113.7';
const kindsOf = (entries: Iterable<{ readonly kind: string }>): string[] => [...entries].map(({ kind }) => kind);

// ban add

test('ban add puts a ban for the default time, everywhere', async () => {
  const { operations, judge, enforcer, said } = bench();
  expect(await operations.banAdd({ ...operator, subject: IP })).toMatchObject({
    subject: IP,
    level: 0,
    origin: 'operator',
    until: NOW + HOUR,
  });
  expect(judge.ledger.ban(IP)).toMatchObject({ reason: 'by hand' });
  expect(enforcer.applied).toMatchObject([{ op: 'put', entry: { kind: 'ban', subject: IP } }]);
  expect(said).toEqual(['remember put ban', `audit operator:root ban.add ${IP}: by hand`]);
});

test.each([
  [null, null],
  [90_000, NOW + 90_000],
])('ban add for %s ends at %s', async (durationMs, until) => {
  expect(await bench().operations.banAdd({ ...operator, subject: IP, durationMs })).toMatchObject({ until });
});

test('a single IPv6 address means its /64', async () => {
  expect(await bench().operations.banAdd({ ...operator, subject: '2001:db8:1:2::7' })).toMatchObject({
    subject: '2001:db8:1:2::/64',
  });
});

test('host bits of a network are cleared', async () => {
  expect(await bench().operations.banAdd({ ...operator, subject: '203.0.113.77/24' })).toMatchObject({
    subject: '203.0.113.0/24',
  });
});

test('what is no address is refused', async () => {
  await expect(bench().operations.banAdd({ ...operator, subject: '203.0.113.256' })).rejects.toMatchObject({
    code: 'ADDRESS_INVALID',
  });
});

test.each([IP, '203.0.113.0/24', '0.0.0.0/0'])(
  'deny add %s is refused as well; by force it is done, and the phone loses its privilege',
  async (subject) => {
    const { operations, put, judge } = bench();
    put(good(IP));
    const wish = { list: 'deny', subject, note: '', author: 'me' } as const;
    await expect(operations.listAdd(wish)).rejects.toMatchObject({
      code: 'BAN_REFUSED',
      message: expect.stringContaining(`1 registered phone there: alice at ${IP}:5060. Use --force`),
    });
    expect([judge.ledger.count('deny'), judge.ledger.count('good')]).toEqual([0, 1]);
    await operations.listAdd({ ...wish, force: true });
    expect([judge.ledger.count('deny'), judge.ledger.count('good')]).toEqual([1, 0]);
  },
);

test('a network is denied around an allow entry, and allowed around phones', async () => {
  const { operations, put } = bench();
  put(good('198.51.100.9'));
  await operations.listAdd({ list: 'allow', subject: IP, note: '', author: 'me' });
  await operations.listAdd({ list: 'deny', subject: '203.0.113.0/24', note: '', author: 'me' });
  await operations.listAdd({ list: 'allow', subject: '198.51.100.0/24', note: '', author: 'me' });
  expect(await operations.check(IP)).toMatchObject({ result: 'allowed' });
});

test.each([IP, `${IP}/32`, '203.0.113.0/24', '0.0.0.0/0'])(
  'ban add %s is refused while a phone is registered there, by name',
  async (subject) => {
    const { operations, put, judge } = bench();
    put(good(IP));
    await expect(operations.banAdd({ ...operator, subject })).rejects.toMatchObject({
      code: 'BAN_REFUSED',
      message: expect.stringContaining(`1 registered phone there: alice at ${IP}:5060. Use --force`),
    });
    expect(judge.ledger.count('ban')).toBe(0);
  },
);

test.each(['2001:db8:1:2::/64', '2001:db8:1:2:ffff::1', '2001:db8::/32'])(
  'ban add %s is refused while a phone is registered in that /64',
  async (subject) => {
    const { operations, put } = bench();
    put(good('2001:db8:1:2::7'));
    await expect(operations.banAdd({ ...operator, subject })).rejects.toMatchObject({ code: 'BAN_REFUSED' });
  },
);

test('a refusal names five phones and counts the rest', async () => {
  const { operations, put } = bench();
  for (let port = 1; port <= 8; port += 1) put(good(IP, `u${port}`, port));
  await expect(operations.banAdd({ ...operator, subject: IP })).rejects.toThrow(
    /8 registered phones there: u1 at .*, u5 at 203\.0\.113\.7:5, …/,
  );
});

test('a phone elsewhere is no reason to refuse', async () => {
  const { operations, put } = bench();
  put(good('203.0.114.7'));
  expect(await operations.banAdd({ ...operator, subject: '203.0.113.0/24' })).toMatchObject({
    subject: '203.0.113.0/24',
  });
});

test.each([
  ['203.0.113.0/24', IP],
  [IP, '203.0.113.0/24'],
  [IP, IP],
])('ban add %s is refused while %s is on the allow list', async (subject, allowed) => {
  const { operations } = bench();
  await operations.listAdd({ list: 'allow', subject: allowed, note: 'trunk', author: 'me' });
  await expect(operations.banAdd({ ...operator, subject })).rejects.toThrow(/the allow entry .* \(trunk\)/);
});

test.each(['198.51.100.1', '198.51.100.0/24'])('ban add %s is refused: it is the server itself', async (subject) => {
  const { operations } = bench({ own: ['198.51.100.1'] });
  await expect(operations.banAdd({ ...operator, subject })).rejects.toThrow("this server's own address 198.51.100.1");
});

test('--force bans nevertheless, and the phones there lose what would let them pass', async () => {
  const { operations, put, judge, enforcer } = bench();
  put(good(IP));
  put(good('192.0.2.1', 'bob'));
  enforcer.applied.length = 0;
  await operations.banAdd({ ...operator, subject: IP, force: true });
  expect(enforcer.applied).toMatchObject([
    { op: 'remove', why: 'revoked', entry: { kind: 'good', user: 'alice' } },
    { op: 'put', entry: { kind: 'ban' } },
  ]);
  expect([...judge.ledger.entries('good')]).toMatchObject([{ user: 'bob' }]);
});

// ban remove

test('ban remove lifts everything of the subject, and nothing else', async () => {
  const { operations, put, judge } = bench();
  const held = { since: NOW, until: NOW + HOUR, origin: 'detector', reason: 'x', rules: [], evidence: [] } as const;
  for (const subject of [IP, '203.0.113.8']) {
    put(ban(subject));
    put({ ...held, kind: 'quarantine', subject });
    put({ ...held, kind: 'throttle', subject, perSecond: 10 });
    put({ ...held, kind: 'throttle-user', subject, user: 'carol', intervalSeconds: 5 });
    put({ ...held, kind: 'throttle-user', subject, user: 'da ve', intervalSeconds: 5 });
  }
  const { removed } = await operations.banRemove({ subject: IP, author: 'me' });
  expect(removed).toEqual(['ban', 'quarantine', 'throttle', 'throttle-user', 'throttle-user']);
  expect([...judge.ledger.entries()].map((entry) => ('subject' in entry ? entry.subject : ''))).toEqual(
    Array(5).fill('203.0.113.8'),
  );
});

test('ban remove forgets the score: the next small finding does not bring it back', async () => {
  const { operations, put, judge } = bench();
  put(ban(IP));
  judge.sources.of(IP, NOW).points.proven = 99;
  await operations.banRemove({ subject: IP, author: 'me' });
  expect(judge.report(IP, 'none', NOW)).toMatchObject({ state: 'stranger', score: { proven: 0 } });
});

test("ban remove tells the server as an operator's word, so that a foreign ban goes too", async () => {
  const { operations, put, enforcer } = bench();
  put(ban(IP, { origin: 'foreign', until: null }));
  await operations.banRemove({ subject: IP, author: 'me' });
  expect(enforcer.applied.at(-1)).toMatchObject({ op: 'remove', why: 'operator', entry: { origin: 'operator' } });
});

test('ban remove of what is not there says how to look', async () => {
  await expect(bench().operations.banRemove({ subject: IP, author: 'me' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(`companion why ${IP}`),
  });
});

test('ban list shows bans, quarantines and throttles, not known-good', async () => {
  const { operations, put } = bench();
  put(ban(IP));
  put(good('192.0.2.1'));
  put({
    kind: 'throttle-user',
    subject: IP,
    user: 'carol',
    intervalSeconds: 5,
    since: NOW,
    until: null,
    origin: 'detector',
    reason: 'x',
  });
  expect(await operations.banList()).toMatchObject([
    { kind: 'ban', level: 1 },
    { kind: 'throttle-user', user: 'carol' },
  ]);
});

// lists

test('allow beats deny at any length', async () => {
  const { operations, lists } = bench();
  await operations.listAdd({ list: 'deny', subject: '203.0.113.7', note: '', author: 'me' });
  await operations.listAdd({ list: 'allow', subject: '203.0.0.0/16', note: '', author: 'me' });
  expect([lists.verdict('203.0.113.7'), lists.verdict('203.1.0.1')]).toEqual(['allow', 'none']);
});

test('a network on the deny list blocks the addresses in it, and only those', async () => {
  const { operations } = bench();
  await operations.listAdd({ list: 'deny', subject: '203.0.113.0/24', note: '', author: 'me' });
  expect(await operations.check(IP)).toMatchObject({ result: 'blocked', state: 'denied' });
  expect(await operations.check('203.0.114.7')).toMatchObject({ result: 'clear' });
});

test('a banned network blocks the addresses in it until it ends', async () => {
  const { operations, clock, expire } = bench();
  await operations.banAdd({ ...operator, subject: '203.0.113.0/24', durationMs: 1_000 });
  expect(await operations.check(IP)).toMatchObject({ result: 'blocked', until: NOW + 1_000 });
  clock.at += 1_000;
  expire();
  expect(await operations.check(IP)).toMatchObject({ result: 'clear' });
});

test('an entry of a list ends on time', async () => {
  const { operations, clock, expire, lists } = bench();
  await operations.listAdd({ list: 'deny', subject: IP, note: '', author: 'me', durationMs: 1_000 });
  expect(await operations.check(IP)).toMatchObject({ result: 'blocked', until: NOW + 1_000 });
  clock.at += 1_000;
  expire();
  expect(lists.verdict(IP)).toBe('none');
});

test('list remove takes the entry back', async () => {
  const { operations, lists, enforcer } = bench();
  await operations.listAdd({ list: 'allow', subject: IP, note: 'x', author: 'me' });
  expect(await operations.listAll('allow')).toEqual([
    { list: 'allow', subject: `${IP}/32`, note: 'x', author: 'me', since: NOW, until: null },
  ]);
  await operations.listRemove('allow', { subject: IP, author: 'me' });
  expect([lists.verdict(IP), (await operations.listAll('allow')).length]).toEqual(['none', 0]);
  expect(enforcer.applied.at(-1)).toMatchObject({ op: 'remove', entry: { kind: 'allow' } });
});

test('list remove of what is not there says how to look', async () => {
  await expect(bench().operations.listRemove('deny', { subject: IP, author: 'me' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: `There is no deny entry ${IP}/32. 'companion deny list' shows them.`,
  });
});

// check and why

test.each([
  ['ban', 'blocked', 'banned'],
  ['quarantine', 'clear', 'quarantined'],
  ['nothing', 'clear', 'stranger'],
] as const)('check of an address with %s says %s, %s', async (what, result, state) => {
  const { operations, put } = bench();
  if (what === 'ban') put(ban(IP));
  if (what === 'quarantine')
    put({
      kind: 'quarantine',
      subject: IP,
      rules: [],
      evidence: [],
      since: NOW,
      until: null,
      origin: 'detector',
      reason: 'x',
    });
  expect(await operations.check(IP)).toMatchObject({ ip: IP, identity: IP, result, state });
});

test('check of an allowed address says allowed although it is banned, and until when', async () => {
  const { operations, put } = bench();
  put(ban(IP));
  await operations.listAdd({ list: 'allow', subject: IP, note: '', author: 'me', durationMs: 5_000 });
  expect(await operations.check(IP)).toMatchObject({ result: 'allowed', state: 'allowed', until: NOW + 5_000 });
});

test.each(['203.0.113.0/24', '2001:db8::/32', 'example.com', '1.2.3.4/64', '1.2.3.4/32/1', ''])(
  'check of %j is refused: not one address',
  async (text) => {
    await expect(bench().operations.check(text)).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
  },
);

test.each([
  ['2001:db8:1:2::7', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::/64', '2001:db8:1:2::/64'],
  ['203.0.113.7/32', IP],
])('check of %s is about %s', async (text, identity) => {
  expect(await bench().operations.check(text)).toMatchObject({ identity });
});

test('why tells evidence, score, users, lists, history, what is enforced, and how to undo it', async () => {
  const history = [ban(IP, { level: 1, reason: 'earlier' })] as never;
  const { operations, put, judge } = bench({ records: fakeRecords([], { history: () => Promise.resolve(history) }) });
  put(ban(IP));
  judge.sources.countUser(judge.sources.of(IP, NOW), 'alice', true);
  await operations.listAdd({ list: 'deny', subject: '203.0.113.0/24', note: 'spam', author: 'me' });
  expect(await operations.why(IP)).toEqual({
    ip: IP,
    identity: IP,
    state: 'denied',
    reason: 'deny list or banned network',
    since: NOW,
    until: null,
    evidence: [{ at: NOW, rule: 'enumeration.distinct', tier: 'proven', points: 100, text: '20 names' }],
    score: { proven: 0, spoofable: 0 },
    lists: [{ list: 'deny', subject: '203.0.113.0/24', note: 'spam', author: 'me', since: NOW, until: null }],
    proof: 'proven',
    listed: ['deny list: 203.0.113.0/24, spam (by me)'],
    rehearsed: [],
    shapes: [],
    users: [{ user: 'alice', ok: 1, failed: 0 }],
    history: [expect.objectContaining({ reason: 'earlier' })],
    enforced: [{ enforcer: 'edge1', holds: [`nothing for ${IP}`] }],
    undo: [`companion ban remove ${IP}`, 'companion deny remove 203.0.113.0/24'],
  });
});

test('why names the command that lifts a banned network', async () => {
  const { operations } = bench();
  await operations.banAdd({ ...operator, subject: '203.0.113.0/24' });
  expect((await operations.why(IP)).undo).toEqual(['companion ban remove 203.0.113.0/24']);
});

test('why names the command that lifts the brake of a user', async () => {
  const { operations, put } = bench();
  put({
    kind: 'throttle-user',
    subject: IP,
    user: 'carol',
    intervalSeconds: 5,
    since: NOW,
    until: null,
    origin: 'detector',
    reason: 'x',
  });
  expect((await operations.why(IP)).undo).toEqual([`companion ban remove ${IP}`]);
});

test('why answers although a server and the database do not', async () => {
  const failing = fakeEnforcer({ holds: () => Promise.reject(new Error('timed out')) });
  const records = fakeRecords([], { history: () => Promise.reject(new Error('disk')) });
  const { operations, put } = bench({ enforcer: failing, records });
  put(ban(IP));
  expect(await operations.why(IP)).toMatchObject({
    state: 'banned',
    history: [],
    enforced: [{ enforcer: 'edge1', holds: ['unknown: timed out'] }],
  });
});

test('watchers hear of decisions until they leave', async () => {
  const { operations } = bench();
  const heard: string[] = [];
  const leave = operations.watch(({ change, subject }) => heard.push(`${change} ${subject}`));
  await operations.banAdd({ ...operator, subject: IP });
  await operations.banRemove({ subject: IP, author: 'me' });
  leave();
  await operations.banAdd({ ...operator, subject: '203.0.113.8' });
  expect(heard).toEqual([`ban ${IP}`, `lift ${IP}`]);
});

test('a blocked country is in check, why, geo show and the rows of the lists', async () => {
  const place = { country: 'RU', asn: 64_500, network: 'Example Net' };
  const barred = { state: 'denied', reason: 'country RU is blocked' } as const;
  const { operations } = bench({ background: () => ({ place, barred }) });
  expect(await operations.check(IP)).toMatchObject({ result: 'blocked', reason: 'country RU is blocked', place });
  expect(await operations.why(IP)).toMatchObject({ state: 'denied', place });
  expect(await operations.geoShow(IP)).toEqual({ ip: IP, place, barred });
  await expect(operations.geoShow('203.0.113.0/24')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
  await operations.listAdd({ list: 'allow', subject: IP, note: '', author: 'me' });
  expect(await operations.check(IP)).toMatchObject({ result: 'allowed', place });
  expect(await operations.listAll('allow')).toMatchObject([{ subject: `${IP}/32`, place }]);
});

test('names go on the allow list by hand, and on no other', async () => {
  const names = new Map<string, { name: string; note: string; author: string; since: number }>();
  const { operations } = bench({
    names: {
      rows: () => [...names.values()],
      add: (name, note, author) => {
        names.set(name, { name, note, author, since: NOW });
        return { name, since: NOW };
      },
      remove: (name) => names.delete(name),
    },
  });
  const wish = { subject: 'sip.example.com', note: 'carrier', author: 'me' };
  const row = { list: 'allow', subject: 'sip.example.com', note: 'carrier', author: 'me', since: NOW, until: null };
  expect(await operations.listAdd({ list: 'allow', ...wish })).toEqual(row);
  expect(await operations.listAll('allow')).toEqual([row]);
  expect(await operations.listAll('deny')).toEqual([]);
  await expect(operations.listAdd({ list: 'deny', ...wish })).rejects.toThrow(/only the allow list takes names/);
  await expect(operations.listAdd({ list: 'allow', ...wish, durationMs: 5 })).rejects.toThrow(/until they are removed/);
  expect(await operations.listRemove('allow', { subject: 'sip.example.com', author: 'me' })).toEqual({
    removed: ['allow'],
  });
  await expect(operations.listRemove('allow', { subject: 'sip.example.com', author: 'me' })).rejects.toThrow(/./);
});

// status

test.each([
  [{ enforcers: [] }, 'no SIP server connected: nothing is protected'],
  [
    { enforcer: fakeEnforcer({}, { state: 'down' }), silentMs: undefined },
    'no SIP server connected: nothing is protected',
  ],
  [{}, 'protecting 1 SIP server'],
  [{ enforcers: [fakeEnforcer(), fakeEnforcer({ name: 'edge2' })] }, 'protecting 2 SIP servers'],
  [
    { enforcer: fakeEnforcer({}, { state: 'down' }) },
    '0 of 1 SIP server connected, 1 degraded: protection is incomplete',
  ],
  [{ silentMs: 60_000 }, '0 of 1 SIP server connected, 1 degraded: protection is incomplete'],
  [{ mode: 'shadow' }, '1 of 1 SIP server connected; shadow mode: decisions are recorded, nothing is enforced'],
] as const)('status %#: %s', async (options, summary) => {
  expect(await bench(options).operations.status()).toMatchObject({ summary });
});

test('a server whose heartbeats stay out is degraded, and the status says what to look at', async () => {
  const { nodes } = await bench({ silentMs: 60_000 }).operations.status();
  expect(nodes).toMatchObject([
    { state: 'degraded', lastError: expect.stringContaining('heartbeats are not answered') },
  ]);
});

test('status counts what is held', async () => {
  const { operations, put } = bench();
  put(ban(IP));
  put(good('192.0.2.1'));
  await operations.listAdd({ list: 'deny', subject: '198.51.100.0/24', note: '', author: 'me' });
  expect((await operations.status()).counts).toEqual({
    bans: 1,
    quarantined: 0,
    throttled: 0,
    good: 1,
    allow: 0,
    deny: 1,
    trackedSources: 0,
  });
  expect(kindsOf(await operations.banList())).toEqual(['ban']);
});

test('what stands in a file or the configuration is taken off, and it is said that it comes back', async () => {
  const { operations, put } = bench();
  const entry = { kind: 'deny', note: '', origin: 'operator', reason: 'deny list', since: NOW, until: null } as const;
  put({ ...entry, subject: '192.0.2.1/32', author: 'file:/etc/denylist' });
  put({ ...entry, subject: '192.0.2.2/32', author: 'configuration' });
  put({ ...entry, subject: '192.0.2.3/32', author: 'operator:root' });
  const remove = (subject: string) => operations.listRemove('deny', { subject, author: 'ana' });
  expect(await remove('192.0.2.1')).toEqual({ removed: ['deny'], standsIn: 'file:/etc/denylist' });
  expect(await remove('192.0.2.2')).toEqual({ removed: ['deny'], standsIn: 'configuration' });
  expect(await remove('192.0.2.3')).toEqual({ removed: ['deny'] });
});
