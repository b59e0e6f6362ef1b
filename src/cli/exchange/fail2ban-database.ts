import { open } from 'node:fs/promises';
import { z } from 'zod';
import { CompanionError } from '../../model/index.ts';
import type { FileRow, ReadRows } from '../../protocol/index.ts';

const MAGIC = 'SQLite format 3\0';
/** fail2ban keeps a day of bans; a million are no jail of this world. */
const MAX_ROWS = 1_000_000;

const rowShape = z.object({ ip: z.string(), jail: z.string(), timeofban: z.number(), bantime: z.number() });

const isDatabase = async (file: string): Promise<boolean> => {
  if (file === '-') return false;
  try {
    const handle = await open(file, 'r');
    const { buffer } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    await handle.close();
    return buffer.toString('latin1') === MAGIC;
  } catch {
    return false; // told by whoever reads it
  }
};

/**
 * Bans out of fail2ban's own database (`/var/lib/fail2ban/fail2ban.sqlite3`), with their ends; undefined for other files.
 * The rows are numbered, as a database has no lines. Read only.
 * @throws CompanionError REQUEST_INVALID when it is a database of something else
 */
export const readFail2banDatabase = async (file: string): Promise<ReadRows | undefined> => {
  if (!(await isDatabase(file))) return undefined;
  const { default: Database } = await import('better-sqlite3');
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    try {
      const found: unknown[] = db
        .prepare('SELECT ip, jail, timeofban, bantime FROM bips ORDER BY timeofban LIMIT ?')
        .all(MAX_ROWS);
      const rows = found.map((row, index): FileRow => {
        const { ip, jail, timeofban, bantime } = rowShape.parse(row);
        const until = bantime < 0 ? null : (timeofban + bantime) * 1_000;
        return { line: index + 1, subject: ip.slice(0, 200), note: `fail2ban ${jail}`.slice(0, 200), until };
      });
      return { rows, problems: [] };
    } finally {
      db.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CompanionError(
      'REQUEST_INVALID',
      `Cannot read ${file} as a database of fail2ban: ${why.slice(0, 200)}. Is it fail2ban.sqlite3, and may you read it?`,
      { cause: error },
    );
  }
};
