/**
 * Writes our groups into the `address` table of Kamailio's sqlite database, in a thread: waiting for Kamailio's own
 * write lock must not hold up a verdict. Lives for one write.
 */
import SqliteDatabase from 'better-sqlite3';
import { parentPort, workerData } from 'node:worker_threads';
import { keyOfRow } from './rows.ts';
import type { Groups, Row } from './rows.ts';

/** What the thread is started with. `table` is a plain name. */
export interface TableTask {
  readonly file: string;
  readonly table: string;
  readonly groups: Groups;
  readonly rows: readonly Row[];
}

export type TableResult = { readonly changed: boolean } | { readonly problem: string };

/** usrloc writes its bindings back in one transaction; a big one takes a second. */
const BUSY_MS = 3_000;

interface Stored {
  readonly id: number;
  readonly grp: number;
  readonly ip_addr: string;
  readonly mask: number;
  readonly port: number;
}

/** The wanted rows and nothing else, all behind the operator's: those must not be what does not fit any more. */
const isRight = (own: readonly Stored[], lastOther: number, rows: readonly Row[]): boolean =>
  own.length === rows.length &&
  own.every((row, index) => {
    const wanted = rows[index];
    const same = { group: row.grp, ip: row.ip_addr, mask: row.mask };
    return wanted !== undefined && row.port === 0 && row.id > lastOther && keyOfRow(same) === keyOfRow(wanted);
  });

const run = ({ file, table, groups, rows }: TableTask): boolean => {
  const database = new SqliteDatabase(file, { timeout: BUSY_MS, fileMustExist: true });
  try {
    const ours = 'grp IN (?, ?)';
    const select = database.prepare(`SELECT id, grp, ip_addr, mask, port FROM ${table} WHERE ${ours} ORDER BY id`);
    const last = database.prepare(`SELECT coalesce(max(id), 0) AS id FROM ${table} WHERE NOT (${ours})`);
    const right = (): boolean => {
      const own = select.all(groups.allow, groups.deny) as Stored[];
      return isRight(own, (last.get(groups.allow, groups.deny) as { id: number }).id, rows);
    };
    if (right()) return false;
    const remove = database.prepare(`DELETE FROM ${table} WHERE ${ours}`);
    const insert = database.prepare(`INSERT INTO ${table} (grp, ip_addr, mask, port) VALUES (?, ?, ?, 0)`);
    database
      .transaction(() => {
        remove.run(groups.allow, groups.deny);
        for (const { group, ip, mask } of rows) insert.run(group, ip, mask);
      })
      .immediate();
    return true;
  } finally {
    database.close();
  }
};

const work = (task: TableTask): TableResult => {
  try {
    return { changed: run(task) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.postMessage(work(workerData as TableTask));
