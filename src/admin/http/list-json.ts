import { setImmediate } from 'node:timers/promises';
import type { BanRow } from '../../model/index.ts';
import { jsonLine } from '../../protocol/index.ts';

/** Rows written between two looks at the event loop: about a millisecond's work. */
const ROWS_AT_ONCE = 500;

/** RFC 3339 in UTC, to the second. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** `{"<name>":[…],"total":n}` in pieces, so that a long list does not hold up verdicts. */
export const listJson = async function* <R>(
  name: string,
  rows: readonly R[],
  shape: (row: R) => unknown = (row) => row,
): AsyncGenerator<string> {
  yield `{"${name}":[`;
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    if (start > 0) await setImmediate();
    const part = rows.slice(start, start + ROWS_AT_ONCE).map((row) => jsonLine(shape(row)));
    yield (start > 0 ? ',' : '') + part.join(',');
  }
  yield `],"total":${rows.length}}`;
};

/** `{ip, reason, banned_at, expires_at, level}`; expires_at is null without end. */
export const banRecord = (ban: BanRow): object => ({
  ip: ban.subject,
  reason: ban.reason,
  banned_at: rfc3339(ban.since),
  expires_at: ban.until === null ? null : rfc3339(ban.until),
  level: ban.level,
});
