import { expect, test } from 'vitest';
import type { Facts, Outcome, Request } from '../../../src/model/index.ts';
import {
  ask,
  auth,
  detectorsWith,
  feed,
  from,
  nothingKnown,
  range,
  registers,
  reply,
  seeded,
  type Noticed,
} from './events.ts';

const only = (settings: object = {}) =>
  detectorsWith({
    distributed_scan: settings,
    enumeration: { enabled: false },
    density: { enabled: false },
    method_bucket: { enabled: false },
  });

const HOUR = 3_600_000;
const bot = (index: number): string => `${60 + (index % 40)}.${index >> 8}.${index & 255}.9`;
const home = (index: number): string => `100.80.${index >> 8}.${index & 255}`;

/** Customers' phones and attackers are of one model, unless an address is named. */
const alike =
  (others: Readonly<Record<string, string>> = {}) =>
  (event: Request | Outcome): Facts => ({ ...nothingKnown, wire: () => others[event.source.ip] ?? 'w1-0000abcd' });

const accused = (found: readonly Noticed[], events: readonly (Request | Outcome)[]): Set<string> => {
  const sorted = [...events].sort((left, right) => left.at - right.at);
  return new Set(found.map(({ after }) => sorted[after - 1]!.source.ip));
};

/** 200 addresses, three names each, over ten minutes, in any order. */
const botnet = (transport: 'udp' | 'tcp' = 'udp', start = 0): Request[] => {
  const random = seeded(7);
  return range(0, 199).flatMap((index) =>
    range(0, 2).map((step) =>
      ask(
        start + Math.floor(random() * 600_000),
        from(bot(index), 5_060, transport),
        'REGISTER',
        `u${(index * 3 + step) * 7_919}x`,
      ),
    ),
  );
};

test('200 addresses with three names each are a campaign, each of them is accused', () => {
  const events = botnet();
  const found = feed(only(), events, alike());
  expect(new Set(found.map(({ rule, points, tier }) => `${rule} ${points} ${tier}`))).toEqual(
    new Set(['campaign.scan 100 spoofable']),
  );
  expect(accused(found, events).size).toBeGreaterThanOrEqual(198);
  expect(found[0]?.after).toBeLessThan(120);
  expect(found.at(-1)?.evidence).toMatch(
    /^one of \d+ addresses whose messages are built alike \(w1-0000abcd\): \d+ names, no success$/,
  );
});

test('random tokens that make every fifth message look different hide hardly anybody', () => {
  const random = seeded(13);
  const events = botnet();
  const shapes = new Map(
    events.map((event) => [event, random() < 0.2 ? `w1-${Math.floor(random() * 1e6)}` : 'w1-0000abcd']),
  );
  const factsOf = (event: Request | Outcome): Facts => ({
    ...nothingKnown,
    wire: () => shapes.get(event as Request) ?? '',
  });
  expect(accused(feed(only(), events, factsOf), events).size).toBeGreaterThanOrEqual(190);
});

test('over TCP it is proven', () => {
  expect(feed(only(), botnet('tcp'), alike())[0]).toMatchObject({ rule: 'campaign.scan', tier: 'proven' });
});

test('devices that ask for their one name for ever, over TCP, are at most quarantined', () => {
  const events = range(0, 99).flatMap((index) =>
    range(0, 20).map((round) =>
      ask(round * 60_000 + index * 100, from(home(index), 5_060, 'tcp'), 'REGISTER', `mac${index * 7_919}x`),
    ),
  );
  const found = feed(only(), events, alike());
  expect(new Set(found.map(({ tier }) => tier))).toEqual(new Set(['spoofable']));
});

test('forged datagrams prove nothing about somebody on TCP', () => {
  const late = from('203.0.113.7', 5_060, 'tcp');
  const events = [...botnet(), ask(500_000, late, 'REGISTER', 'a'), ask(560_000, late, 'REGISTER', 'b')];
  const found = feed(only(), events, alike());
  const mine = found.filter(({ after }) => events.toSorted((a, b) => a.at - b.at)[after - 1]?.source.ip === late.ip);
  expect(mine).toMatchObject([{ tier: 'spoofable' }]);
});

test('names in a row need half as many addresses', () => {
  const few = (name: (index: number) => string): (Request | Outcome)[] =>
    range(0, 17).flatMap((index) => [
      ask(index * 1_000, from(bot(index)), 'REGISTER', name(index)),
      ask(100_000 + index * 1_000, from(bot(index)), 'REGISTER', name(index + 100)),
    ]);
  expect(
    feed(
      only(),
      few((index) => `n${index * 7_919}x`),
      alike(),
    ),
  ).toEqual([]);
  const found = feed(
    only(),
    few((index) => String(2_000 + index)),
    alike(),
  );
  expect(found[0]).toMatchObject({ rule: 'campaign.scan' });
  expect(found[0]?.evidence).toContain('18 in a row');
});

test('200 offices of the same phones, a botnet of that model among them: no office is accused', () => {
  const random = seeded(11);
  const offices = range(0, 199).flatMap((office) =>
    range(0, 7).flatMap((phone) => {
      const at = Math.floor(random() * HOUR);
      const source = from(home(office), 20_000 + phone);
      return registers(at, source, String(10_000 + office * 8 + phone), 60 + Math.floor(random() * 3_000));
    }),
  );
  expect(feed(only(), offices, alike())).toEqual([]);
  const mixed = [...offices, ...botnet('udp', 600_000)];
  const guilty = accused(feed(only(), mixed, alike()), mixed);
  expect(guilty.size).toBeGreaterThanOrEqual(190);
  expect([...guilty].filter((ip) => ip.startsWith('100.80.'))).toEqual([]);
});

test('a power cut: 5,000 homes of one model within a minute, each slow to answer, none is accused', () => {
  const random = seeded(3);
  const events = range(0, 4_999).flatMap((index) =>
    registers(
      Math.floor(random() * 60_000),
      from(home(index)),
      String(10_000 + index),
      50 + Math.floor(random() * 28_000),
    ),
  );
  expect(feed(only({ looks_per_second: 10_000 }), events, alike())).toEqual([]);
});

test('500 old devices that keep sending one wrong password are none', () => {
  const events = range(0, 499).flatMap((index) =>
    range(0, 9).flatMap((round) => {
      const at = round * 300_000 + index * 100;
      const source = from(home(index));
      return [
        ask(at, source, 'REGISTER', `old${index}`),
        ask(at + 60, source, 'REGISTER', `old${index}`, { credentials: 'bound' as const }),
        auth(at + 61, source, index % 2 === 0 ? 'wrong-password' : 'unknown-user', `old${index}`),
      ];
    }),
  );
  expect(feed(only(), events, alike())).toEqual([]);
});

test('100 bots that guess for three users each are a campaign', () => {
  const events = range(0, 99).flatMap((index) =>
    range(0, 2).flatMap((step) => {
      const at = step * 600_000 + index * 1_000;
      const user = `u${(index * 3 + step) * 7_919}x`;
      const source = from(bot(index));
      return [
        ask(at, source, 'REGISTER', user),
        ask(at + 60, source, 'REGISTER', user, { credentials: 'bound' as const }),
        auth(at + 61, source, 'wrong-password', user),
      ];
    }),
  );
  const found = feed(only(), events, alike());
  expect(accused(found, events).size).toBe(100);
  expect(found[0]?.tier).toBe('spoofable'); // what is accused is a request without credentials
});

test('offices of which only the requests were captured are none: they sent credentials', () => {
  const events = range(0, 199).flatMap((office) =>
    range(0, 5).flatMap((round) => {
      const at = round * 300_000 + office * 1_000;
      const [source, user] = [from(home(office), 20_000), `o${office}`];
      return [
        ask(at, source, 'REGISTER', user),
        ask(at + 60, source, 'REGISTER', user, { credentials: 'unbound' as const }),
      ];
    }),
  );
  expect(feed(only(), events, alike())).toEqual([]);
});

test('credentials that answer nothing hide no bot', () => {
  const events = botnet().flatMap((asked) => [
    { ...asked, credentials: 'unbound' as const },
    auth(asked.at + 1, asked.source, 'forged-nonce', asked.sip.to.user),
    { ...asked, at: asked.at + 2 },
  ]);
  expect(accused(feed(only(), events, alike()), events).size).toBeGreaterThanOrEqual(190);
});

test('one name that a hundred addresses ask for is no scan of names', () => {
  const events = range(0, 99).flatMap((index) => [
    ask(index * 1_000, from(bot(index)), 'REGISTER', '100'),
    ask(400_000 + index * 1_000, from(bot(index)), 'REGISTER', '100'),
  ]);
  expect(feed(only(), events, alike())).toEqual([]);
});

test('names that have authenticated, from wherever, are no evidence: a network that fails is no attack', () => {
  const before = range(0, 199).flatMap((index) => registers(index * 10, from(home(index)), String(2_000 + index)));
  const moved = range(0, 199).flatMap((index) => [
    ask(HOUR + index * 100, from(bot(index)), 'REGISTER', String(2_000 + index)),
    ask(HOUR + 90_000 + index * 100, from(bot(index)), 'REGISTER', String(2_000 + index)),
  ]);
  expect(feed(only(), [...before, ...moved], alike())).toEqual([]);
});

test('callers whose calls are answered are no evidence', () => {
  const events = range(0, 99).flatMap((index) =>
    range(0, 2).flatMap((call) => [
      ask(call * 100_000 + index * 500, from(bot(index)), 'INVITE', `0301${index}${call}`),
      reply(
        call * 100_000 + index * 500 + 9_000,
        from(bot(index)),
        call === 1 ? 486 : 200,
        'INVITE',
        `0301${index}${call}`,
      ),
    ]),
  );
  expect(feed(only(), events, alike())).toEqual([]);
});

test('addresses whose messages are built in ways of their own are no campaign', () => {
  const own = Object.fromEntries(range(0, 199).map((index) => [bot(index), `w1-${index}`]));
  expect(feed(only(), botnet(), alike(own))).toEqual([]);
});

test('a flood of addresses costs a bounded number of looks, and bounded memory', () => {
  const detectors = only({ max_sources: 100, looks_per_second: 50 });
  let looks = 0;
  for (const index of range(0, 20_000)) {
    const source = from(`${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.1`);
    detectors.detect(ask(index / 10, source, 'REGISTER', `n${index}`), {
      ...nothingKnown,
      wire: () => {
        looks += 1;
        return `w1-${index % 7}`;
      },
    });
  }
  expect(looks).toBe(101);
  expect(detectors.tables()['distributed-scan.sources']).toEqual({ size: 100, evicted: 1 });
});

/** Twelve addresses that try two names each, far apart: too few for a campaign anywhere. */
const few = (transport: 'udp' | 'tcp' = 'udp'): Request[] =>
  range(0, 11).flatMap((index) =>
    range(0, 2).map((step) =>
      ask(
        index * 5_000 + step * 100_000,
        from(bot(index), 5_060, transport),
        'REGISTER',
        `u${(index * 3 + step) * 7_919}x`,
      ),
    ),
  );

const inNetworks =
  (asnOf: (ip: string) => number) =>
  (event: Request | Outcome): Facts => ({
    ...alike()(event),
    place: { country: 'NL', asn: asnOf(event.source.ip), network: 'hoster' },
  });

test('a dozen addresses of one network are a campaign; of many, of none, or of an unknown one they are not', () => {
  const found = feed(
    only(),
    few('tcp'),
    inNetworks(() => 64_500),
  );
  expect(found[0]).toMatchObject({ rule: 'campaign.scan', tier: 'proven' });
  expect(found[0]?.evidence).toMatch(/^one of 1\d addresses of AS64500 whose messages are built alike/);
  expect(accused(found, few()).size).toBe(12);
  expect(feed(only(), few(), alike())).toEqual([]);
  expect(
    feed(
      only(),
      few(),
      inNetworks(() => 0),
    ),
  ).toEqual([]);
  const byAddress = new Map(few().map(({ source }, index) => [source.ip, 1_000 + index]));
  expect(
    feed(
      only(),
      few(),
      inNetworks((ip) => byAddress.get(ip) ?? 0),
    ),
  ).toEqual([]);
  expect(
    feed(
      only({ same_network: 13 }),
      few(),
      inNetworks(() => 64_500),
    ),
  ).toEqual([]);
});

test('in a network where somebody authenticated it takes as many addresses as anywhere', () => {
  const facts = inNetworks(() => 64_500);
  const customer = registers(0, from('198.51.100.7'), 'alice', 60);
  expect(feed(only(), [...customer, ...few()], facts)).toEqual([]);
  // also when that comes while they are at it
  const late = registers(250_000, from('198.51.100.7'), 'alice', 60);
  const again = few().map((event) => ({ ...event, at: event.at + 300_000 }));
  const found = feed(only(), [...few(), ...late, ...again], facts);
  expect(found.length).toBeGreaterThan(0);
  expect(found.every(({ after }) => after <= few().length)).toBe(true);
  // a success is a day's word
  const muchLater = few().map((event) => ({ ...event, at: event.at + 25 * HOUR }));
  expect(feed(only(), [...customer, ...muchLater], facts).length).toBeGreaterThan(0);
  // and 200 addresses there are a campaign all the same
  expect(accused(feed(only(), [...customer, ...botnet()], facts), [...customer, ...botnet()]).size).toBeGreaterThan(
    150,
  );
});

test('what is known of networks changes nothing for who is found without', () => {
  const without = feed(only({ same_network: 1_000 }), botnet(), alike());
  expect(
    feed(
      only({ same_network: 1_000 }),
      botnet(),
      inNetworks(() => 64_500),
    ),
  ).toEqual(without);
  const withNetworks = feed(
    only(),
    botnet(),
    inNetworks((ip) => 64_000 + Number(ip.split('.')[1])),
  );
  expect(accused(withNetworks, botnet()).size).toBeGreaterThanOrEqual(accused(without, botnet()).size);
  expect(withNetworks[0]!.after).toBeLessThanOrEqual(without[0]!.after);
});
