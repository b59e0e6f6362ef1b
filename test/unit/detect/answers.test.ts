import { expect, test } from 'vitest';
import type { Request } from '../../../src/model/index.ts';
import { againstSource, ask, auth, detectorsWith, feed, from, range, registered, SCANNER } from './events.ts';

const sender = from(SCANNER);
const answer = (at: number, credentials: string): Request => {
  const request = ask(at, sender, 'REGISTER', '1001', { credentials: 'bound' });
  return { ...request, sip: { ...request.sip, headers: [{ name: 'Authorization', value: credentials }] } };
};
const digest = (response: string, nonce = 'n', counter = ''): string =>
  `Digest username="1001", realm="r", nonce="${nonce}", uri="sip:r", response="${response}"${counter}`;

/** One try in 6 s, for as long as the user is known to fail, in one call: slow enough for every other rule. */
const tries = (count: number, credentialsOf: (attempt: number) => string, everyMs = 6_000) =>
  range(1, count).flatMap((attempt) => [
    answer(attempt * everyMs, credentialsOf(attempt)),
    auth(attempt * everyMs + 5, sender, 'wrong-password', '1001', { callId: 'one' }),
  ]);

test('four passwords in answer to one challenge are guesses, in one call or not', () => {
  const found = againstSource(
    feed(
      detectorsWith(),
      tries(8, (attempt) => digest(`abc${attempt}`)),
    ),
  );
  expect(found[0]).toMatchObject({ rule: 'digest.guessing', tier: 'proven', points: 100, after: 9 });
  expect(found[0]?.evidence).toBe("4 different passwords for user '1001' in answer to one challenge");
});

test.each<[string, (attempt: number) => string]>([
  ['the same password again and again', () => digest('abc')],
  ['a new challenge each time', (attempt) => digest(`abc${attempt}`, `n${attempt}`)],
  ['a counter that runs', (attempt) => digest(`abc${attempt}`, 'n', `, cnonce="c", nc=0000000${attempt}`)],
  ['a nonce of the client that changes', (attempt) => digest(`abc${attempt}`, 'n', `, cnonce="c${attempt}"`)],
  ['no answer at all', () => 'Digest username="1001"'],
])('%s: the device has one password', (_, credentialsOf) => {
  expect(againstSource(feed(detectorsWith(), tries(8, credentialsOf)))).toEqual([]);
});

test('who types one password after the other into a phone that keeps its challenge is no guesser', () => {
  const typed = tries(6, (attempt) => digest(`abc${attempt}`), 8_000);
  expect(againstSource(feed(detectorsWith(), typed))).toEqual([]);
});

test('a device that was accepted there once is never accused of it', () => {
  const events = [registered(0, sender, '1001', 600), ...tries(8, (attempt) => digest(`abc${attempt}`))];
  expect(againstSource(feed(detectorsWith(), events))).toEqual([]);
});
