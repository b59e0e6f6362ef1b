import type { Answer, Outcome, Request, Verdict } from '../model/index.ts';

/** Events that wait to be noted; the one that fills this up has all of them noted. More would hold up the ask after it. */
const MAX_WAITING = 8;

/** None waits longer, milliseconds. Whoever reads settles first, so that nobody sees the difference. */
const WAIT_MS = 50;

/** Notes one event that was judged; the answer is there when a server waited for one. */
export interface Book {
  see(event: Request | Outcome, verdict: Verdict, answer: Answer | undefined): void;
}

interface Note {
  readonly event: Request | Outcome;
  readonly verdict: Verdict;
  readonly answer: Answer | undefined;
}

export interface Bookkeeping {
  /** Takes an event to be noted soon, or at once when something follows from its verdict. Never throws. */
  take(event: Request | Outcome, verdict: Verdict, answer?: Answer): void;
  /** Notes all that waits. */
  settle(): void;
  /** The book, with all that waits noted: for whoever reads in it. */
  settled<Kept>(book: Kept): Kept;
}

/** What is told to others must find the books complete: a ban names the program that its source came with. */
const leads = ({ changes, shadow, falseAlarm }: Verdict): boolean =>
  changes.length > 0 || shadow !== undefined || falseAlarm !== undefined;

/**
 * Notes what was judged, in the order in which it was judged, many events together: between two asks a processor forgets
 * the code of the books, and has to fetch it again each time (measured: 15 to 20 µs an event, of forty together 7).
 * @param books each is told every event, also when another one throws
 * @param onBug told what one of them threw
 */
export const createBookkeeping = (books: readonly Book[], onBug: (error: unknown) => void): Bookkeeping => {
  let waiting: Note[] = [];
  let timer: NodeJS.Timeout | undefined;
  const noted = (book: Book, { event, verdict, answer }: Note): void => {
    try {
      book.see(event, verdict, answer);
    } catch (error) {
      onBug(error);
    }
  };
  const settle = (): void => {
    if (waiting.length === 0) return;
    clearTimeout(timer);
    timer = undefined;
    const due = waiting;
    waiting = [];
    for (const note of due) for (const book of books) noted(book, note);
  };
  return {
    settle,
    settled(book) {
      settle();
      return book;
    },
    take(event, verdict, answer) {
      waiting.push({ event, verdict, answer });
      if (leads(verdict) || waiting.length >= MAX_WAITING) settle();
      else timer ??= setTimeout(settle, WAIT_MS).unref();
    },
  };
};
