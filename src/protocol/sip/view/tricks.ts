import { headerIdOf, headerNameOf, LINE } from '../message/index.ts';
import type { SipMessage } from '../message/index.ts';

/** Tricks named of one message; each kind once. */
const MAX_TRICKS = 8;

/** Singletons whose duplicates and folds make readers disagree about who sends what to whom. */
const WATCHED: ReadonlySet<number> = new Set(
  (['from', 'to', 'call-id', 'cseq', 'user-agent', 'max-forwards', 'content-length'] as const).map(headerIdOf),
);

const UNRESERVED = /%(?:[46][1-9a-f]|[57][0-9a]|3[0-9])/i;

/** Percent-encoding of letters and digits, which nothing needs (RFC 3261 19.1.2: only what is not allowed is escaped). */
export const hidesLetters = (user: string): boolean => user.includes('%') && UNRESERVED.test(user.slice(0, 256));

/**
 * What a message does that makes two readers read different things: blanks before a colon, singletons that come twice
 * or are folded, letters hidden by percent-encoding, line ends that are no CRLF. Our own words, in wire order; an honest
 * message has none.
 */
export const readTricks = (message: SipMessage, users: readonly string[]): readonly string[] => {
  const tricks = new Set<string>();
  const seen = new Set<number>();
  for (let line = 0; line < message.count && tricks.size < MAX_TRICKS; line += 1) {
    const flags = message.flags(line);
    const id = message.id(line);
    if ((flags & LINE.blankBeforeColon) !== 0) tricks.add('space-before-colon');
    if ((flags & LINE.bareLf) !== 0) tricks.add('lf-only');
    if (!WATCHED.has(id)) continue;
    if ((flags & LINE.folded) !== 0) tricks.add(`folded-${headerNameOf(id)}`);
    if (seen.has(id)) tricks.add(`duplicate-${headerNameOf(id)}`);
    seen.add(id);
  }
  if (tricks.size < MAX_TRICKS && users.some(hidesLetters)) tricks.add('encoded-user');
  return [...tricks].slice(0, MAX_TRICKS);
};
