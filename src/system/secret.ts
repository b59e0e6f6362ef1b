import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { CompanionError } from '../model/index.ts';

const SECRET_BYTES = 32;
const SECRET_TEXT = /^[0-9a-f]{64}$/;
/** A secret with its line end is 65 bytes; anything much longer is another file. */
const MAX_FILE_BYTES = 256;
const READABLE_BY_OTHERS = 0o077;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const refuse = (file: string, problem: string, next: string, cause?: unknown): CompanionError =>
  new CompanionError('STORE_FAILED', `Cannot use the secret file ${file}: ${problem}. ${next}`, { cause });

/**
 * Writes the secret beside the target and links it into place: the file appears whole or not at all, and of two
 * companions that start together one wins and both read the same secret.
 */
const create = (file: string, random: (bytes: number) => Buffer): void => {
  const draft = `${file}.${process.pid}.${random(6).toString('hex')}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    try {
      writeSync(handle, `${random(SECRET_BYTES).toString('hex')}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
};

const read = (file: string): string => {
  const handle = openSync(file, 'r');
  try {
    // Judged on the open handle, so that nobody can swap the file in between.
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw refuse(file, 'it is not a regular file', 'Move it away; companion then makes a new one.');
    if ((stat.mode & READABLE_BY_OTHERS) !== 0) {
      const mode = (stat.mode & 0o777).toString(8);
      throw refuse(
        file,
        `other users may read it (mode 0${mode})`,
        `Run 'chmod 600 ${file}', and delete it first if somebody may have seen it: companion then makes a new one.`,
      );
    }
    const bytes = Buffer.alloc(MAX_FILE_BYTES);
    const text = bytes.toString('latin1', 0, readSync(handle, bytes, 0, MAX_FILE_BYTES, 0)).trim();
    if (!SECRET_TEXT.test(text)) {
      throw refuse(
        file,
        'it does not hold 64 lower-case hexadecimal digits',
        'Restore it, or delete it: companion then makes a new one, which every SIP server must be given.',
      );
    }
    return text;
  } finally {
    closeSync(handle);
  }
};

/**
 * The secret of this installation: 32 random bytes as 64 hex digits, made on first use (mode 0600). Its directory must exist.
 * @throws CompanionError STORE_FAILED when it cannot be made or read, when others may read it, or when it is something else
 */
export const installationSecret = (file: string, random: (bytes: number) => Buffer = randomBytes): string => {
  try {
    return read(file);
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    if (codeOf(error) !== 'ENOENT') {
      throw refuse(
        file,
        error instanceof Error ? error.message : String(error),
        'Let the user that runs companion read it.',
        error,
      );
    }
  }
  try {
    create(file, random);
    return read(file);
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    const next =
      codeOf(error) === 'ENOSPC'
        ? 'Make room on its disk, or name another state_dir.'
        : 'Let the user that runs companion write to its directory.';
    throw refuse(file, error instanceof Error ? error.message : String(error), next, error);
  }
};
