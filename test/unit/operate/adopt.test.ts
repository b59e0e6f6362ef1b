import { beforeEach, expect, test } from 'vitest';
import { Judge, decideSchema } from '../../../src/decide/index.ts';
import { createAdoption } from '../../../src/operate/index.ts';
import { NOW } from './bench.ts';

const SUBJECT = '203.0.113.77';
const found = [{ key: SUBJECT, subject: SUBJECT }];
let judge: Judge;
let adoption: ReturnType<typeof createAdoption>;
const isBanned = (subject: string): boolean => judge.ledger.ban(subject) !== undefined;

beforeEach(() => {
  judge = new Judge(decideSchema.parse({}));
  adoption = createAdoption({
    judge,
    effects: { push: () => undefined, counts: {} },
    clock: { now: () => NOW },
    take: () => undefined,
  });
});

test('a ban of somebody else ends with its key', () => {
  adoption.foreign('a', found);
  expect(judge.ledger.ban(SUBJECT)).toMatchObject({ origin: 'foreign' });
  adoption.expired('a', 'ipban', SUBJECT);
  expect(isBanned(SUBJECT)).toBe(false);
});

test('it stands while another server holds it', () => {
  adoption.foreign('a', found);
  adoption.foreign('b', found);
  adoption.expired('a', 'ipban', SUBJECT);
  adoption.expired('a', 'ipban', SUBJECT);
  expect(isBanned(SUBJECT)).toBe(true);
  adoption.expired('b', 'ipban', SUBJECT);
  expect(isBanned(SUBJECT)).toBe(false);
});

test('it stands while another key names the same network', () => {
  const subject = '2001:db8::/64';
  adoption.foreign(
    'a',
    ['2001:db8::5', '2001:db8::6'].map((key) => ({ key, subject })),
  );
  adoption.expired('a', 'ipban', '2001:db8::5');
  expect(isBanned(subject)).toBe(true);
  adoption.expired('a', 'ipban', '2001:db8::6');
  expect(isBanned(subject)).toBe(false);
});

test('a ban of our own does not end with a foreign key', () => {
  adoption.foreign('a', found);
  judge.ledger.put({ ...judge.ledger.ban(SUBJECT)!, origin: 'operator' });
  adoption.expired('a', 'ipban', SUBJECT);
  expect(isBanned(SUBJECT)).toBe(true);
});
