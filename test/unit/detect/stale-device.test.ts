import { expect, test } from 'vitest';
import {
  againstSource,
  auth,
  detectorsWith,
  feed,
  from,
  OFFICE,
  range,
  registered,
  registers,
  SCANNER,
} from './events.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const phone = from(OFFICE, 30_000);
const stale = (found: ReturnType<typeof feed>) => found.filter(({ rule }) => rule === 'digest.stale-device');

test('a user that was accepted there and is refused now: the operator is told after the third time', () => {
  const events = [
    ...registers(0, phone, '200'),
    ...range(0, 9).map((round) => auth(3 * HOUR + round * 60_000, phone, 'wrong-password', '200')),
  ];
  const found = stale(feed(detectorsWith(), events));
  expect(found).toMatchObject([
    { family: 'notice', accused: { kind: 'user', user: '200', port: 30_000 }, points: 1, tier: 'proven', after: 7 },
  ]);
  expect(found[0]?.evidence).toBe(
    "user '200' was accepted here 3 h ago, and is refused: its password is no longer right",
  );
});

test('told again once in six hours, and over when it is accepted again', () => {
  const events = [
    ...registers(0, phone, '200'),
    ...range(1, 12 * 60).map((minute) => auth(minute * 60_000, phone, 'unknown-user', '200')),
    ...registers(13 * HOUR, phone, '200'),
    auth(14 * HOUR, phone, 'ok', '200'),
  ];
  const found = stale(feed(detectorsWith(), events));
  expect(found.map(({ ends }) => ends)).toEqual([undefined, undefined, true]);
  expect(found[0]?.evidence).toContain('its extension is gone');
});

test('twenty extensions are deleted before the phones know: nobody accuses the site', () => {
  const phones = range(200, 219).map((user) => ({ user: String(user), source: from(OFFICE, 30_000 + user) }));
  const events = [
    ...phones.flatMap(({ user, source }) => registers(0, source, user)),
    ...phones.flatMap(({ user, source }) =>
      range(0, 200).map((round) => auth(2 * DAY + round * 30_000, source, 'unknown-user', user)),
    ),
  ];
  const found = feed(detectorsWith(), events);
  expect(againstSource(found)).toEqual([]);
  expect(stale(found)).toHaveLength(20);
});

test('a stranger who guesses where old devices stand is accused all the same', () => {
  const events = [
    ...registers(0, phone, '200'),
    ...range(0, 5).map((index) => auth(2 * DAY + index * 1_000, from(OFFICE, 40_000), 'unknown-user', `x${index}`)),
  ];
  expect(againstSource(feed(detectorsWith(), events))[0]?.rule).toBe('digest.unknown-users');
});

test('elsewhere, after a month, or unproven, it is no device of the house', () => {
  const refused = (at: number, ip: string, tier: 'proven' | 'spoofable') =>
    range(0, 5).map((round) => auth(at + round * 60_000, from(ip), 'wrong-password', '200', { tier }));
  const accepted = registered(0, phone, '200');
  expect(stale(feed(detectorsWith(), [accepted, ...refused(HOUR, SCANNER, 'proven')]))).toEqual([]);
  expect(stale(feed(detectorsWith(), [accepted, ...refused(31 * DAY, OFFICE, 'proven')]))).toEqual([]);
  expect(stale(feed(detectorsWith(), [accepted, ...refused(HOUR, OFFICE, 'spoofable')]))).toEqual([]);
});

test('a phone that goes is not accepted', () => {
  const events = [
    registered(0, phone, '200', 0),
    ...range(1, 5).map((round) => auth(round * 60_000, phone, 'wrong-password', '200')),
  ];
  expect(stale(feed(detectorsWith(), events))).toEqual([]);
});

test('guesses at users that were never accepted take no room', () => {
  const detectors = detectorsWith({ stale_device: { max_devices: 10 } });
  feed(
    detectors,
    range(1, 100).map((user) => auth(user, from(SCANNER), 'wrong-password', `u${user}`)),
  );
  expect(detectors.tables()['stale-device.devices']).toEqual({ size: 0, evicted: 0 });
});
