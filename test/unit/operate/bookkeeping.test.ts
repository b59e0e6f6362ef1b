import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Outcome, Request, Verdict } from '../../../src/model/index.ts';
import { createBookkeeping } from '../../../src/operate/index.ts';
import type { Book } from '../../../src/operate/index.ts';

const eventOf = (n: number): Request => ({ kind: 'request', at: n }) as unknown as Request;
const QUIET = { changes: [], findings: [], answer: 'allow', state: 'stranger' } as unknown as Verdict;
const LEADING: readonly Verdict[] = [
  { ...QUIET, changes: [{ op: 'put' }] } as unknown as Verdict,
  { ...QUIET, shadow: { findings: [], changes: [] } } as unknown as Verdict,
  { ...QUIET, falseAlarm: { subject: '192.0.2.1' } } as unknown as Verdict,
];

const keep = () => {
  const noted: number[] = [];
  const bugs: unknown[] = [];
  const book: Book = { see: (event: Request | Outcome) => void noted.push(event.at) };
  return { noted, bugs, book, onBug: (error: unknown) => void bugs.push(error) };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what leads to nothing is noted a little later, in the order in which it was judged', () => {
  const { noted, book, onBug } = keep();
  const books = createBookkeeping([book], onBug);
  for (const n of [1, 2, 3]) books.take(eventOf(n), QUIET);
  expect(noted).toEqual([]);
  vi.advanceTimersByTime(50);
  expect(noted).toEqual([1, 2, 3]);
  books.take(eventOf(4), QUIET);
  vi.advanceTimersByTime(50);
  expect(noted).toEqual([1, 2, 3, 4]);
});

test.each(LEADING)('a verdict that leads to something finds everything noted, itself too: %#', (verdict) => {
  const { noted, book, onBug } = keep();
  const books = createBookkeeping([book], onBug);
  books.take(eventOf(1), QUIET);
  books.take(eventOf(2), verdict);
  expect(noted).toEqual([1, 2]);
});

test('who reads the books settles them first; nothing is noted twice', () => {
  const { noted, book, onBug } = keep();
  const books = createBookkeeping([book], onBug);
  books.take(eventOf(1), QUIET);
  expect(books.settled(noted)).toEqual([1]);
  vi.advanceTimersByTime(1_000);
  expect(noted).toEqual([1]);
});

test('a flood does not wait for the timer: what waits has a bound, and nothing is lost', () => {
  const { noted, book, onBug } = keep();
  const books = createBookkeeping([book], onBug);
  for (let n = 0; n < 1_000; n += 1) {
    books.take(eventOf(n), QUIET);
    expect(n + 1 - noted.length).toBeLessThan(64);
  }
  books.settle();
  expect(noted).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
});

test('a book that throws keeps neither the event from the others nor the next events from itself', () => {
  const { noted, bugs, book, onBug } = keep();
  const torn: number[] = [];
  const books = createBookkeeping(
    [
      {
        see(event) {
          torn.push(event.at);
          if (event.at === 1) throw new Error('torn page');
        },
      },
      book,
    ],
    onBug,
  );
  books.take(eventOf(1), QUIET);
  books.take(eventOf(2), QUIET);
  books.settle();
  expect(torn).toEqual([1, 2]);
  expect(noted).toEqual([1, 2]);
  expect(bugs.map(String)).toEqual(['Error: torn page']);
});

test('the books hear the answer that a server was given, and of what nobody asked none', () => {
  const answers: unknown[] = [];
  const books = createBookkeeping([{ see: (_event, _verdict, answer) => void answers.push(answer) }], () => undefined);
  books.take(eventOf(1), QUIET, 'challenge');
  books.take(eventOf(2), QUIET);
  books.settle();
  expect(answers).toEqual(['challenge', undefined]);
});
