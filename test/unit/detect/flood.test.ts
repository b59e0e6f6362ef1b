import { expect, test } from 'vitest';
import { prefixOf } from '../../../src/detect/rates/density.ts';
import { ask, detectorsWith, feed, from, nothingKnown, range, SCANNER } from './events.ts';

const flooder = from(SCANNER);
const densityOnly = () => detectorsWith({ method_bucket: { enabled: false }, enumeration: { enabled: false } });
const bucketOnly = () => detectorsWith({ density: { enabled: false }, enumeration: { enabled: false } });
const burst = (count: number, everyMs: number, part: Parameters<typeof ask>[4] = {}, source = flooder) =>
  range(0, count - 1).map((index) => ask(index * everyMs, source, 'SUBSCRIBE', '', part));

test('the hundredth request within two seconds is too many', () => {
  expect(feed(densityOnly(), burst(150, 20))).toMatchObject([{ rule: 'density.source', points: 100, after: 100 }]);
});

test('the hundredth request after exactly two seconds is not', () => {
  const events = range(0, 98).map((index) => ask(index, flooder, 'SUBSCRIBE', ''));
  expect(feed(densityOnly(), [...events, ask(2_000, flooder, 'SUBSCRIBE', '')])).toEqual([]);
  expect(feed(densityOnly(), [...events, ask(1_999, flooder, 'SUBSCRIBE', '')])).toHaveLength(1);
});

test('the window slides: the edge of two windows hides nothing', () => {
  const early = range(0, 49).map((index) => ask(1_900 + index, flooder, 'SUBSCRIBE', ''));
  const late = range(0, 49).map((index) => ask(2_050 + index, flooder, 'SUBSCRIBE', ''));
  expect(feed(densityOnly(), [...early, ...late])).toHaveLength(1);
});

test('a lasting flood is reported once a window', () => {
  const found = feed(densityOnly(), burst(2_000, 5));
  expect(found.filter(({ rule }) => rule === 'density.source')).toHaveLength(5);
  expect(found.filter(({ rule }) => rule === 'density.prefix')).toHaveLength(5);
});

test.each([
  ['of known-good sources', { standing: 'good' }],
  ['of verified dialogs', { standing: 'in-dialog' }],
  ['with credentials bound to the source', { credentials: 'bound' }],
] as const)('requests %s do not count', (_, part) => {
  expect(feed(densityOnly(), burst(500, 1, part))).toEqual([]);
  expect(feed(bucketOnly(), burst(500, 1, part))).toEqual([]);
});

test.each([
  ['allowed', { ...nothingKnown, list: 'allow' as const }],
  ['our own', { ...nothingKnown, own: true }],
])('%s sources are never accused', (_, facts) => {
  expect(feed(detectorsWith(), burst(500, 1), () => facts)).toEqual([]);
});

test('one forged datagram in the window makes the finding spoofable', () => {
  const tcp = from(SCANNER, 4_000, 'tcp');
  expect(feed(densityOnly(), burst(100, 1, {}, tcp))[0]?.tier).toBe('proven');
  expect(feed(densityOnly(), [ask(0, flooder, 'SUBSCRIBE', ''), ...burst(99, 1, {}, tcp)])[0]?.tier).toBe('spoofable');
});

test('a crowded prefix is noticed with less weight', () => {
  const events = range(0, 399).map((index) => ask(index, from(`203.0.113.${index % 50}`), 'SUBSCRIBE', ''));
  expect(feed(densityOnly(), events)).toMatchObject([{ rule: 'density.prefix', points: 40, after: 400 }]);
});

test('neighbours who send little are not accused of a crowded prefix', () => {
  const events = range(0, 399).map((index) => ask(index, from(`203.0.113.${index % 200}`), 'SUBSCRIBE', ''));
  expect(feed(densityOnly(), events)).toEqual([]);
});

test.each([
  ['192.0.2.77', '192.0.2.0/24'],
  ['2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8::/64', '2001:db8:0::/48'],
  ['::/64', '0:0:0::/48'],
  ['2001:0:0:5::/64', '2001:0:0::/48'],
])('the prefix of %s is %s', (identity, text) => {
  expect(prefixOf(identity)).toBe(text);
});

test('an IPv6 source is its /64', () => {
  const events = range(0, 99).map((index) =>
    ask(index, from(`2001:db8:1:2::${(index + 1).toString(16)}`), 'SUBSCRIBE', ''),
  );
  expect(feed(densityOnly(), events)).toHaveLength(1);
});

test('an office of any size whose phones answer their challenges is no flood, one whose phones do not is', () => {
  const phones = range(0, 399).map((index) => ({ at: index * 5, target: String(index) }));
  const asked = phones.map(({ at, target }) => ask(at, flooder, 'REGISTER', target));
  const answered = phones.map(({ at, target }) =>
    ask(at + 100, flooder, 'REGISTER', target, { credentials: 'bound', tier: 'proven' }),
  );
  const floodsOnly = detectorsWith({ enumeration: { enabled: false } });
  expect(feed(floodsOnly, [...asked, ...answered])).toEqual([]);
  expect(feed(densityOnly(), asked)[0]).toMatchObject({ rule: 'density.source', after: 100 });
});

test('answers do not pile up: a flood after them is noticed', () => {
  const answers = range(0, 999).flatMap((index) => [
    ask(index, flooder, 'REGISTER', 'x'),
    ask(index, flooder, 'REGISTER', 'x', { credentials: 'bound', tier: 'proven' }),
  ]);
  const flood = range(0, 399).map((index) => ask(1_000 + index, flooder, 'REGISTER', 'x'));
  expect(feed(densityOnly(), [...answers, ...flood])[0]).toMatchObject({ rule: 'density.source' });
});

test('a bucket adds weight when its burst is used up', () => {
  expect(feed(bucketOnly(), burst(200, 5))).toMatchObject([{ rule: 'method-bucket', points: 50, after: 56 }]);
});

test('each method has its bucket, invented ones share one', () => {
  const events = range(0, 119).map((index) => ask(index, flooder, index % 2 === 0 ? `FOO${index}` : 'BAR', ''));
  expect(feed(bucketOnly(), events)).toMatchObject([{ rule: 'method-bucket', after: 52 }]);
  const mixed = range(0, 79).map((index) => ask(index, flooder, index % 2 === 0 ? 'REGISTER' : 'SUBSCRIBE', 'x'));
  expect(feed(bucketOnly(), mixed)).toEqual([]);
});

test('a carrier that pings fifty times a second is never reported, a flood of OPTIONS is', () => {
  const pings = (everyMs: number) => range(0, 3_000).map((index) => ask(index * everyMs, flooder, 'OPTIONS', ''));
  expect(feed(detectorsWith(), pings(20))).toEqual([]);
  expect(feed(detectorsWith(), pings(2))).toMatchObject([{ rule: 'method-bucket', after: 171 }, {}, {}, {}, {}, {}]);
});

test('a steady rate below the limit is never reported', () => {
  expect(feed(bucketOnly(), burst(2_000, 51))).toEqual([]);
});

test('ACK and CANCEL use no bucket', () => {
  expect(
    feed(
      bucketOnly(),
      range(0, 300).map((index) => ask(index, flooder, 'ACK', '')),
    ),
  ).toEqual([]);
});
