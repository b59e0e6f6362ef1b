import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { CompanionError, isHostName } from '../../model/index.ts';
import type { Clock, EpochMs } from '../../model/index.ts';

/** Names are few: offices and carriers. */
const MAX_NAMES = 1_000;

/** A name that an operator put on the allow list by hand. */
export interface ShelvedName {
  readonly name: string;
  readonly note: string;
  readonly author: string;
  readonly since: EpochMs;
}

export interface NameShelf {
  rows(): readonly ShelvedName[];
  /** Adds or replaces. @throws CompanionError REQUEST_INVALID: there are too many; STORE_FAILED: it cannot be kept */
  add(name: string, note: string, author: string): ShelvedName;
  /** @returns whether it was there. @throws CompanionError STORE_FAILED */
  remove(name: string): boolean;
}

const rowsShape = z.array(
  z.object({
    name: z.string().refine(isHostName),
    note: z.string().max(200),
    author: z.string().max(200),
    since: z.number(),
  }),
);

const readRows = (file: string, alarm: (problem: string) => void): ShelvedName[] => {
  try {
    return rowsShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') alarm(`cannot be read (${code ?? 'damaged'}): names that were added by hand are gone`);
    return [];
  }
};

/** Writes the whole file beside the old one and swaps them: a crash leaves one of the two. */
const writeRows = (file: string, rows: readonly ShelvedName[]): void => {
  try {
    const handle = openSync(`${file}.new`, 'w', 0o600);
    try {
      writeSync(handle, JSON.stringify(rows));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(`${file}.new`, file);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CompanionError('STORE_FAILED', `The names of the allow list cannot be written to ${file}: ${why}.`, {
      cause: error,
    });
  }
};

/** Names that operators put on the allow list by hand, kept in a file. */
export const openNameShelf = (
  file: string,
  clock: Clock,
  changed: () => void,
  alarm: (problem: string) => void,
): NameShelf => {
  let rows: readonly ShelvedName[] = readRows(file, alarm);
  const put = (next: readonly ShelvedName[]): void => {
    writeRows(file, next);
    rows = next;
    changed();
  };
  return {
    rows: () => rows,
    add(text, note, author) {
      const name = text.toLowerCase().replace(/\.$/, '');
      const others = rows.filter((row) => row.name !== name);
      if (others.length >= MAX_NAMES)
        throw new CompanionError(
          'REQUEST_INVALID',
          `There are ${MAX_NAMES} names on the allow list; take some off first.`,
        );
      const row = { name, note, author, since: clock.now() };
      put([...others, row]);
      return row;
    },
    remove(text) {
      const name = text.toLowerCase().replace(/\.$/, '');
      const others = rows.filter((row) => row.name !== name);
      if (others.length === rows.length) return false;
      put(others);
      return true;
    },
  };
};
