import { z } from 'zod';
import { CompanionError } from '../../model/index.ts';
import { jsonLine } from '../../protocol/index.ts';
import type { Page } from '../routes/index.ts';

/** Parameters of a paged method. */
const cursorSchema = z.strictObject({ cursor: z.int().min(0).optional() });

/** Bounds of one page: an answer must stay well below the longest line, and take about a millisecond to write. */
const MAX_PAGE_ROWS = 1_000;
const MAX_PAGE_BYTES = 256 * 1024;

/** One list as it was when the first page was asked for; later pages are of that same moment. */
export interface Pager {
  page(method: string, params: unknown, load: () => Promise<readonly unknown[]>): Promise<Page>;
}

/** Keeps one snapshot, i.e. one list at a time per connection. */
export const createPager = (): Pager => {
  let snapshot: { readonly method: string; readonly rows: readonly unknown[] } | undefined;
  return {
    page: async (method, params, load) => {
      const { cursor = 0 } = cursorSchema.parse(params);
      if (cursor === 0) snapshot = { method, rows: await load() };
      if (snapshot?.method !== method || cursor > snapshot.rows.length) {
        throw new CompanionError(
          'REQUEST_INVALID',
          `There is no page ${cursor} of ${method}: ask for the list from its beginning.`,
        );
      }
      const { rows } = snapshot;
      let end = cursor;
      for (let bytes = 0; end < rows.length && end - cursor < MAX_PAGE_ROWS; end += 1) {
        bytes += Buffer.byteLength(jsonLine(rows[end])) + 1;
        if (bytes > MAX_PAGE_BYTES && end > cursor) break;
      }
      const next = end < rows.length ? end : null;
      if (next === null) snapshot = undefined;
      return { rows: rows.slice(cursor, end), total: rows.length, next };
    },
  };
};
