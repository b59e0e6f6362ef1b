import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { AddressBook } from './book.ts';
import type { Groups } from './rows.ts';
import type { TableResult, TableTask } from './table-thread.ts';

const DEADLINE_MS = 10_000;

/** `table-thread.ts` when started from source, `.js` when built: tsc rewrites imports but not URLs. */
const threadUrl = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './table-thread.ts' : './table-thread.js', import.meta.url);

const runThread = async (task: TableTask): Promise<TableResult> => {
  const worker = new Worker(threadUrl(), { workerData: task });
  try {
    // an error of the thread rejects; its exit without a word is caught by the deadline
    const [result] = (await once(worker, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [TableResult];
    return result;
  } finally {
    void worker.terminate();
  }
};

const hintOf = (problem: string): string =>
  problem.includes('no such table')
    ? " Create it with Kamailio's permissions-create.sql."
    : problem.includes('unable to open')
      ? ' Is this the file in your db_url?'
      : '';

/** The `address` table of a sqlite database, as the permissions module reads it with `db_url`. */
export const createAddressTable = (file: string, table: string, groups: Groups): AddressBook => ({
  place: `${file} (${table})`,
  async write(rows) {
    let result: TableResult;
    try {
      result = await runThread({ file, table, groups, rows });
    } catch (cause) {
      throw new Error(`Cannot write the table ${table} of ${file}: no answer within ${DEADLINE_MS / 1_000} s.`, {
        cause,
      });
    }
    if ('changed' in result) return result.changed;
    throw new Error(`Cannot write the table ${table} of ${file}: ${result.problem}.${hintOf(result.problem)}`);
  },
});
