import { setImmediate } from 'node:timers/promises';
import type { BanRow } from '../model/index.ts';
import { jsonLine } from '../protocol/index.ts';

/** Rows written between two looks at the event loop: about a millisecond's work. */
const ROWS_AT_ONCE = 500;

const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

const row = (ban: BanRow): string =>
  jsonLine({
    ip: ban.subject,
    reason: ban.reason,
    banned_at: time(ban.since),
    expires_at: ban.until === null ? null : time(ban.until),
    level: ban.level,
  });

/**
 * The bans (no quarantines, no throttles) as `{"bans":[{ip, reason, banned_at, expires_at, level}],"total":n}`, in
 * pieces, so that a long list does not hold up verdicts. Times are RFC 3339 in UTC; expires_at is null without end.
 */
export const bansJson = async function* (rows: readonly BanRow[]): AsyncGenerator<string> {
  const bans = rows.filter(({ kind }) => kind === 'ban');
  yield '{"bans":[';
  for (let start = 0; start < bans.length; start += ROWS_AT_ONCE) {
    if (start > 0) await setImmediate();
    yield (
      (start > 0 ? ',' : '') +
        bans
          .slice(start, start + ROWS_AT_ONCE)
          .map(row)
          .join(',')
    );
  }
  yield `],"total":${bans.length}}`;
};
