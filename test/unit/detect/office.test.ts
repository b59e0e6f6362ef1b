import { expect, test } from 'vitest';
import type { Outcome, Request } from '../../../src/model/index.ts';
import {
  againstSource,
  ask,
  auth,
  detectorsWith,
  feed,
  from,
  OFFICE,
  range,
  registered,
  registers,
  seeded,
} from './events.ts';

const PHONES = range(200, 259).map(String);
const phone = (index: number, transport: 'udp' | 'tcp' = 'udp') => from(OFFICE, 10_000 + index, transport);

/** RFC 3261 17.1.2.2: when a phone repeats a request over UDP, milliseconds after the first. */
const RETRANSMISSIONS_MS = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500];

/** One phone registering through a lossy network: both of its transactions are repeated until their answer arrives. */
const lossyPhone = (
  start: number,
  index: number,
  user: string,
  loss: number,
  random: () => number,
): (Request | Outcome)[] => {
  const events: (Request | Outcome)[] = [];
  let at = start;
  for (const credentials of ['none', 'bound'] as const) {
    for (const delay of RETRANSMISSIONS_MS) {
      if (random() < loss) continue;
      const seen = at + delay + 20;
      events.push(ask(seen, phone(index), 'REGISTER', user, { credentials }));
      if (credentials === 'bound')
        events.push(auth(seen, phone(index), 'ok', user), registered(seen, phone(index), user));
      if (random() < loss) continue;
      at = seen + 30;
      break;
    }
  }
  return events;
};

test.each(['udp', 'tcp'] as const)('60 phones that register at once over %s accuse nobody', (transport) => {
  const random = seeded(7);
  const events = PHONES.flatMap((user, index) => registers(random() * 1_000, phone(index, transport), user));
  expect(feed(detectorsWith(), events)).toEqual([]);
});

test('60 phones that send their first requests before any is answered accuse nobody', () => {
  const events = PHONES.flatMap((user, index) => registers(index, phone(index), user, 2_000));
  expect(feed(detectorsWith(), events)).toEqual([]);
});

test.each([1, 2, 3, 4, 5])('60 phones on a network that loses one packet in ten accuse nobody (run %i)', (seed) => {
  const random = seeded(seed);
  const events = PHONES.flatMap((user, index) => lossyPhone(random() * 2_000, index, user, 0.1, random));
  expect(againstSource(feed(detectorsWith(), events))).toEqual([]);
});

test('60 phones, each repeating each request, accuse nobody of a scan', () => {
  const events = PHONES.flatMap((user, index) => [
    ...registers(index * 15, phone(index), user, 700),
    ask(index * 15 + 500, phone(index), 'REGISTER', user),
  ]);
  expect(feed(detectorsWith(), events).filter(({ family }) => family !== 'flood')).toEqual([]);
});

test('60 phones whose cached nonces the server no longer knows accuse nobody', () => {
  const events = PHONES.flatMap((user, index) => [
    ask(index * 5, phone(index, 'tcp'), 'REGISTER', user, { credentials: 'unbound' }),
    auth(index * 5 + 1, phone(index, 'tcp'), 'forged-nonce', user),
    ask(index * 5 + 50, phone(index, 'tcp'), 'REGISTER', user, { credentials: 'bound' }),
    auth(index * 5 + 51, phone(index, 'tcp'), 'ok', user),
  ]);
  expect(feed(detectorsWith(), events)).toEqual([]);
});

test('a phone with an old password is slowed down alone', () => {
  const office = PHONES.flatMap((user, index) => registers(index * 15, phone(index), user));
  const old = range(1, 40).flatMap((attempt) => [
    ask(attempt * 2_000, phone(90), 'REGISTER', '270'),
    ask(attempt * 2_000 + 50, phone(90), 'REGISTER', '270', { credentials: 'bound' }),
    auth(attempt * 2_000 + 51, phone(90), 'wrong-password', '270'),
  ]);
  const found = feed(detectorsWith(), [...office, ...old]);
  expect(againstSource(found)).toEqual([]);
  expect(found[0]).toMatchObject({ rule: 'digest.wrong-password', accused: { kind: 'user', user: '270' } });
});

test('a phone with an old password that tries every five minutes accuses nobody', () => {
  const events = range(1, 50).map((attempt) => auth(attempt * 300_000, phone(0), 'wrong-password', '200'));
  expect(feed(detectorsWith(), events)).toEqual([]);
});

test('an office with three removed accounts is not accused while half of it works', () => {
  const good = PHONES.slice(0, 6).flatMap((user, index) => registers(index * 100, phone(index), user));
  const removed = range(1, 20).flatMap((attempt) =>
    ['301', '302', '303', '304', '305'].map((user) => auth(1_000 + attempt * 30_000, phone(99), 'unknown-user', user)),
  );
  expect(againstSource(feed(detectorsWith(), [...good, ...removed]))).toEqual([]);
});

test('a phone that watches 60 lamps accuses nobody', () => {
  const events = PHONES.flatMap((user, index) => {
    const callId = `${OFFICE}:10000 ${user}`;
    return [
      ask(index * 20, phone(0), 'SUBSCRIBE', user),
      ask(index * 20 + 60, phone(0), 'SUBSCRIBE', user, { credentials: 'bound' }),
      auth(index * 20 + 61, phone(0), 'ok', '200', { method: 'SUBSCRIBE', callId }),
    ];
  });
  expect(againstSource(feed(detectorsWith(), events)).filter(({ family }) => family !== 'flood')).toEqual([]);
});
