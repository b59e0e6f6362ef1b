/**
 * The grammar of SIP as scanners: `(text, at, end) => number`, over a range of a latin1 text (a char is a byte). The
 * result is the position behind the longest match, or, when negative, `~offset` of the fault: `result < 0 ? ~result : …`.
 * Never throws, never allocates, linear in the range. Grammar only: how large a number may be is in `bounds.ts`.
 */
export * from './headers/index.ts';
export * from './terms/index.ts';
