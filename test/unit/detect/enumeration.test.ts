import { expect, test } from 'vitest';
import {
  ask,
  auth,
  detectorsWith,
  feed,
  from,
  OFFICE,
  range,
  registered,
  reply,
  rulesOf,
  SCANNER,
  seeded,
  shuffled,
} from './events.ts';

const scanner = from(SCANNER);
const only = (settings: object = {}) =>
  detectorsWith({ enumeration: settings, density: { enabled: false }, method_bucket: { enabled: false } });
const probe = (names: readonly (number | string)[], everyMs: number, method = 'REGISTER', source = scanner) =>
  names.map((name, index) => ask(index * everyMs, source, method, String(name)));

test('numbers in ascending order are a sequence after eight and the grace time', () => {
  const found = feed(only(), probe(range(100, 200), 1_000));
  expect(found[0]).toMatchObject({ rule: 'enumeration.sequence', points: 100, tier: 'spoofable', after: 12 });
});

test.each([
  ['descending', range(100, 200).reverse()],
  ['in steps of two', range(101, 301, 2)],
  ['in steps of ten', range(100, 900, 10)],
  ['with leading zeros', range(100, 200).map((number) => `00${number}`)],
  ['behind a text', range(100, 200).map((number) => `phone-${number}`)],
])('numbers %s are a sequence', (_, names) => {
  expect(feed(only(), probe(names, 1_000))[0]).toMatchObject({ rule: 'enumeration.sequence', after: 12 });
});

test('shuffled numbers are a sequence once they close up', () => {
  const names = shuffled(range(100, 130), seeded(1));
  const found = feed(only({ distinct: 1_000 }), probe(names, 1_000));
  expect(found[0]?.rule).toBe('enumeration.sequence');
});

test('names without numbers are too many at twenty', () => {
  const names = range(1, 40).map((index) => `user${'abcdefghij'[index % 10]}${'klmn'[index % 4]}x${'q'.repeat(index)}`);
  expect(feed(only(), probe(names, 1_000))[0]).toMatchObject({ rule: 'enumeration.distinct', after: 24 });
});

test('one probe in ten seconds is noticed', () => {
  const names = range(1, 40).map((index) => `n${index * 37}x`);
  expect(feed(only(), probe(names, 10_000))[0]).toMatchObject({ rule: 'enumeration.distinct', after: 21 });
});

test('rapid fire needs no grace time', () => {
  const names = range(1, 400).map((index) => `n${index * 37}x`);
  expect(feed(only(), probe(names, 5))[0]).toMatchObject({ rule: 'enumeration.rapid', after: 140 });
});

test('a 404 from the server counts at once', () => {
  const events = range(100, 120).flatMap((number, index) => [
    ask(index * 5, scanner, 'REGISTER', String(number)),
    reply(index * 5 + 1, scanner, 404, 'REGISTER', String(number)),
  ]);
  expect(feed(only(), events)[0]).toMatchObject({ rule: 'enumeration.sequence', after: 16 });
});

test.each(['INVITE', 'OPTIONS', 'SUBSCRIBE', 'MESSAGE', 'options'])(
  'a scan with %s counts the user of the Request-URI',
  (method) => {
    expect(feed(only(), probe(range(100, 120), 1_000, method))[0]?.rule).toBe('enumeration.sequence');
  },
);

test('a registrar ping without user is no target', () => {
  expect(
    feed(
      only(),
      range(1, 100).map((index) => ask(index * 1_000, scanner, 'OPTIONS', '')),
    ),
  ).toEqual([]);
});

test('the same name again and again is one target', () => {
  expect(
    feed(
      only(),
      range(1, 200).map((index) => ask(index * 500, scanner, 'REGISTER', '200')),
    ),
  ).toEqual([]);
});

test('exempt extensions do not count', () => {
  const exempt = range(100, 200).map(String);
  expect(feed(only({ exempt }), probe(range(100, 200), 1_000))).toEqual([]);
});

test('a name that authenticated from anywhere does not count', () => {
  const known = range(100, 199).map((number, index) => registered(index, from(OFFICE, 5_060 + index), String(number)));
  const probes = range(100, 199).map((number, index) =>
    ask(1_000 + index * 1_000, scanner, 'REGISTER', String(number)),
  );
  expect(feed(only(), [...known, ...probes])).toEqual([]);
});

test('credentials without result are no proof of a scan: the server may be slow', () => {
  const events = range(200, 259).flatMap((number, index) => [
    ask(index * 10, from(OFFICE, index + 1_024), 'REGISTER', String(number)),
    ask(index * 10 + 50, from(OFFICE, index + 1_024), 'REGISTER', String(number), { credentials: 'bound' }),
  ]);
  expect(feed(only(), [...events, ask(120_000, from(OFFICE), 'REGISTER', '200')])).toEqual([]);
});

test('junk credentials do not hide a scan', () => {
  const events = range(100, 130).flatMap((number, index) => [
    ask(index * 1_000, scanner, 'REGISTER', String(number), { credentials: 'unbound' }),
    auth(index * 1_000 + 1, scanner, 'forged-nonce', String(number)),
  ]);
  expect(rulesOf(feed(only(), events))).toContain('enumeration.sequence');
});

test('credentials for another realm, that nobody judges, do not hide a scan', () => {
  const probes = range(100, 130).map((number, index) =>
    ask(index * 1_000, scanner, 'REGISTER', String(number), { credentials: 'unbound' }),
  );
  expect(rulesOf(feed(only(), probes))).toContain('enumeration.sequence');
});

test('users that do not exist count at once, on the tier of the outcome', () => {
  const events = range(100, 130).map((number, index) => auth(index * 1_000, scanner, 'unknown-user', String(number)));
  expect(feed(only(), events).find(({ rule }) => rule === 'enumeration.sequence')).toMatchObject({
    tier: 'proven',
    after: 8,
  });
});

test('on TCP the finding is proven', () => {
  const found = feed(only(), probe(range(100, 120), 1_000, 'REGISTER', from(SCANNER, 40_000, 'tcp')));
  expect(found[0]).toMatchObject({ tier: 'proven', after: 12 });
});

test('forged datagrams do not weaken what TCP has proven', () => {
  const tcp = probe(range(100, 107), 1_000, 'REGISTER', from(SCANNER, 40_000, 'tcp'));
  const udp = range(1, 5).map((index) => ask(100 + index, scanner, 'REGISTER', `forged${index}x`));
  expect(feed(only(), [...tcp, ...udp, ask(12_000, scanner, 'REGISTER', 'x')])[0]).toMatchObject({ tier: 'proven' });
});

test('a call centre that dials many numbers is forgotten at each accepted call', () => {
  const events = range(1, 60).flatMap((index) => {
    const number = `0203${index * 7_919}`;
    const at = index * 1_000;
    return [
      ask(at, from(OFFICE), 'INVITE', number),
      ask(at + 50, from(OFFICE), 'INVITE', number, { credentials: 'bound' }),
      auth(at + 51, from(OFFICE), 'ok', '200', { method: 'INVITE', callId: `${OFFICE}:5060 ${number}` }),
      ...(index % 3 === 0 ? [reply(at + 500, from(OFFICE), 404, 'INVITE', number)] : []),
    ];
  });
  expect(feed(only(), events)).toEqual([]);
});

test('a trunk without credentials whose callees answer is no scan', () => {
  const events = range(1, 100).flatMap((index) => [
    ask(index * 1_000, from(OFFICE), 'INVITE', String(3_000 + index)),
    reply(index * 1_000 + 6_000, from(OFFICE), [200, 486, 480, 487][index % 4] ?? 200, 'INVITE', String(3_000 + index)),
  ]);
  expect(feed(only(), events)).toEqual([]);
});

test('a busy trunk with many calls ringing at once is no scan', () => {
  const events = range(1, 600).flatMap((index) => [
    ask(index * 100, from(OFFICE), 'INVITE', `020${index * 7_919}`),
    reply(index * 100 + (index % 7 === 0 ? 800 : 20_000), from(OFFICE), 200, 'INVITE', `020${index * 7_919}`),
  ]);
  expect(feed(only(), events)).toEqual([]);
});

test('a finding is repeated at most every ten seconds', () => {
  const found = feed(only(), probe(range(100, 400), 100));
  const times = [...new Set(found.map(({ at }) => at))];
  expect(times.every((at, index) => index === 0 || at - (times[index - 1] ?? 0) >= 10_000)).toBe(true);
  expect(times.length).toBeGreaterThan(1);
});

test('names older than the window are forgotten', () => {
  const names = range(1, 60).map((index) => `n${index * 37}x`);
  expect(feed(only(), probe(names, 17_000))).toEqual([]);
});
