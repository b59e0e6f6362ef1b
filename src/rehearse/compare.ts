import type { SourceRow } from './replay.ts';

/** A source that two policies treat differently. */
export interface Difference {
  readonly ip: string;
  readonly before: SourceRow;
  readonly after: SourceRow;
}

const same = (a: SourceRow, b: SourceRow): boolean =>
  a.flaggedAt === b.flaggedAt && a.state === b.state && a.rules.join() === b.rules.join();

/** Both saw the same messages, so both have the same sources, in the same order. */
export const differencesOf = (before: readonly SourceRow[], after: readonly SourceRow[]): Difference[] => {
  const known = new Map(before.map((row) => [row.ip, row]));
  return after.flatMap((row) => {
    const old = known.get(row.ip);
    return old === undefined || same(old, row) ? [] : [{ ip: row.ip, before: old, after: row }];
  });
};
