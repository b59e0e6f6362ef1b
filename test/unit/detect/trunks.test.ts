import { expect, test } from 'vitest';
import { againstSource, ask, detectorsWith, feed, from, OFFICE, range, reply } from './events.ts';

const only = () => detectorsWith({ density: { enabled: false }, method_bucket: { enabled: false } });
const trunk = from(OFFICE);
/** Numbers in no order. */
const number = (index: number): string => `49${(index * 7_919_117 + 1_000_000_007) % 9_000_000_000}`;

/** Calls without credentials, one in so many ms, of which every so many is answered and the others do not exist. */
const calls = (count: number, everyMs: number, answeredEvery: number, nameOf = number) =>
  range(0, count - 1).flatMap((index) => [
    ask(index * everyMs, trunk, 'INVITE', nameOf(index)),
    reply(index * everyMs + 30, trunk, (index + 1) % answeredEvery === 0 ? 200 : 404, 'INVITE', nameOf(index)),
  ]);

test('a trunk that the server knows by its address: one call in ten is answered, the other numbers do not exist', () => {
  expect(againstSource(feed(only(), calls(2_000, 250, 10)))).toEqual([]);
});

test('where one in twenty is answered, too many are unknown', () => {
  expect(againstSource(feed(only(), calls(2_000, 250, 20)))[0]).toMatchObject({ rule: 'enumeration.distinct' });
});

test('sixty telephone numbers of which none is answered are too many', () => {
  const found = againstSource(feed(only(), calls(100, 1_000, 1_000)));
  // two events a call
  expect(found[0]).toMatchObject({ rule: 'enumeration.distinct', after: 120 });
});

test('extensions are forgiven nothing, however many telephone numbers are answered', () => {
  const events = [
    ...calls(60, 500, 2),
    ...range(0, 30).flatMap((index) => [
      ask(40_000 + index * 500, trunk, 'INVITE', String(1_000 + ((index * 367) % 8_999))),
      reply(40_000 + index * 500 + 30, trunk, 404, 'INVITE', String(1_000 + ((index * 367) % 8_999))),
    ]),
  ];
  expect(againstSource(feed(only(), events))[0]).toMatchObject({ rule: 'enumeration.distinct' });
});

test('numbers in a row are a scan, answered or not', () => {
  const found = againstSource(
    feed(
      only(),
      calls(100, 500, 3, (index) => `4930123${4_000 + index}`),
    ),
  );
  expect(found[0]).toMatchObject({ rule: 'enumeration.sequence' });
});

const bucketOnly = () => detectorsWith({ density: { enabled: false }, enumeration: { enabled: false } });

test('a trunk of seven calls a second of which two in three are answered is no flood', () => {
  const events = calls(4_000, 143, 3).map((event) =>
    event.kind === 'outcome' && event.type === 'reply' ? { ...event, code: event.code === 200 ? 404 : 200 } : event,
  );
  expect(feed(bucketOnly(), events)).toEqual([]);
});

test('the same of which none is answered is one; so are twelve a second, all answered', () => {
  expect(feed(bucketOnly(), calls(200, 125, 1_000))[0]).toMatchObject({ rule: 'method-bucket' });
  expect(feed(bucketOnly(), calls(200, 80, 1))[0]).toMatchObject({ rule: 'method-bucket' });
});
