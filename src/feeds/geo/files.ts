import { readFile, stat } from 'node:fs/promises';
import type { GeoDatabaseRow } from '../../model/index.ts';
import { openGeoDatabase } from '../../enrich/index.ts';
import type { GeoDatabase } from '../../enrich/index.ts';

/** A larger file is no database of countries; it would be memory for as long as companion runs. */
const MAX_FILE_BYTES = 1024 ** 3;

interface Held {
  /** Of the content that was read last, usable or not. */
  readonly mark: string;
  readonly database: GeoDatabase | undefined;
  readonly problem: string;
}

export interface GeoFiles {
  readonly databases: readonly GeoDatabase[];
  rows(): readonly GeoDatabaseRow[];
  /** Reads what has changed on disk. @returns whether anything did */
  look(): Promise<boolean>;
}

const problemText = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'ENOENT') return 'the file is not there';
  if (code === 'EACCES') return 'the file may not be read';
  return message ?? String(error);
};

/**
 * The databases of these files, in this order. What cannot be read keeps its last usable content; a file that is missing
 * from the start is told once and waited for.
 * @param optional files that need not be there (not fetched yet): no problem when missing
 */
export const createGeoFiles = (
  files: readonly string[],
  optional: ReadonlySet<string>,
  told: (file: string, problem: string | undefined) => void,
): GeoFiles => {
  const held = new Map<string, Held>();
  let databases: readonly GeoDatabase[] = [];

  const read = async (file: string, before: Held | undefined): Promise<Held> => {
    let mark = 'none';
    try {
      const { size, mtimeMs, ino } = await stat(file);
      mark = `${ino} ${size} ${mtimeMs}`;
      if (before?.mark === mark) return before;
      if (before !== undefined && before.problem !== '') told(file, undefined);
      if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
      return { mark, database: openGeoDatabase(await readFile(file), file), problem: '' };
    } catch (error) {
      const missing = (error as { code?: string }).code === 'ENOENT' && optional.has(file);
      const problem = missing && before?.database === undefined ? '' : problemText(error);
      if (problem !== '' && problem !== before?.problem) told(file, problem);
      return { mark, database: before?.database, problem };
    }
  };

  return {
    get databases() {
      return databases;
    },
    rows: () =>
      [...held]
        .filter(([, { database, problem }]) => database !== undefined || problem !== '')
        .map(([file, { database, problem }]) => ({
          file,
          type: database?.type ?? '',
          knows: database?.knows ?? [],
          builtAt: database?.builtAt ?? null,
          problem,
        })),
    async look() {
      let changed = false;
      for (const file of files) {
        const before = held.get(file);
        const now = await read(file, before);
        held.set(file, now);
        changed ||= now.database !== before?.database;
      }
      if (changed) databases = files.flatMap((file) => held.get(file)?.database ?? []);
      return changed;
    },
  };
};
