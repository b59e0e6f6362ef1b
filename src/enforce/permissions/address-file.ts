import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AddressBook } from './book.ts';
import type { Groups, Row } from './rows.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Somebody else saves the file at the same moment: look again this often. */
const MAX_TRIES = 3;
/** Readable for Kamailio, which runs as a user of its own. */
const NEW_FILE_MODE = 0o644;
const MARK = '# companion keeps groups';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const ownLine = (line: string, { allow, deny }: Groups): boolean => {
  if (line.startsWith(MARK)) return true;
  const group = Number(/^[ \t]*(\d{1,12})[ \t]/.exec(line)?.[1] ?? Number.NaN);
  return group === allow || group === deny;
};

/**
 * The operator's lines as they are, byte for byte, and ours behind them. They come last because the module's list of
 * networks has an end: what does not fit any more must never be the operator's. Text is latin1, which keeps all bytes.
 */
export const mergeLines = (text: string, rows: readonly Row[], groups: Groups): string => {
  const kept = text
    .split(/(?<=\n)/)
    .filter((line) => !ownLine(line, groups))
    .join('');
  const gap = kept === '' || kept.endsWith('\n') ? '' : '\n';
  const mark = `${MARK} ${groups.allow} and ${groups.deny} here: what you write into them is replaced\n`;
  return `${kept}${gap}${mark}${rows.map(({ group, ip, mask }) => `${group} ${ip} ${mask} 0\n`).join('')}`;
};

interface Found {
  readonly text: string;
  readonly facts: BigIntStats | undefined;
}

const read = async (file: string): Promise<Found> => {
  try {
    const facts = await stat(file, { bigint: true });
    if (!facts.isFile()) throw new Error(`${file} is not a file.`);
    if (facts.size > MAX_FILE_BYTES) throw new Error(`${file} is larger than 16 MB: it is left alone.`);
    return { text: await readFile(file, 'latin1'), facts };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { text: '', facts: undefined };
    throw error;
  }
};

const unchanged = async (file: string, before: BigIntStats | undefined): Promise<boolean> => {
  const { facts } = await read(file);
  return facts?.ino === before?.ino && facts?.mtimeNs === before?.mtimeNs && facts?.size === before?.size;
};

/** The address file of the permissions module (`address_file`), written beside it and put in its place. */
export const createAddressFile = (path: string, groups: Groups): AddressBook => {
  /** A link stays a link. */
  const target = async (): Promise<string> => realpath(path).catch(() => path);

  const replace = async (file: string, text: string, { facts }: Found): Promise<boolean> => {
    const draft = join(dirname(file), `.${basename(file)}.companion`);
    await rm(draft, { force: true });
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text, 'latin1');
      // not ours to give away where we are not root: Kamailio reads by the mode then
      if (facts !== undefined) await handle.chown(Number(facts.uid), Number(facts.gid)).catch(() => undefined);
      await handle.chmod(facts === undefined ? NEW_FILE_MODE : Number(facts.mode) & 0o7777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (await unchanged(file, facts)) {
      await rename(draft, file);
      return true;
    }
    await rm(draft, { force: true });
    return false;
  };

  return {
    place: path,
    async write(rows) {
      try {
        const file = await target();
        for (let tries = 0; tries < MAX_TRIES; tries += 1) {
          const found = await read(file);
          const text = mergeLines(found.text, rows, groups);
          if (found.facts !== undefined && text === found.text) return false;
          if (await replace(file, text, found)) return true;
        }
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Cannot write the address file ${path}: ${why}`, { cause });
      }
      throw new Error(`Cannot write the address file ${path}: somebody else keeps writing it.`);
    },
  };
};
