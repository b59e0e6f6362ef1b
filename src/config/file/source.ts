import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { CompanionError } from '../../model/index.ts';

/** Read when no file is named; when it is missing too, every setting has its default. */
export const DEFAULT_CONFIG_FILE = '/etc/companion/companion.yaml';

/** A configuration of this size is a mistake (a database, a log), not a configuration. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

const unreadable = (file: string, why: string, cause?: unknown): CompanionError =>
  new CompanionError('CONFIG_UNREADABLE', `Cannot read the configuration ${file}: ${why}.`, { cause });

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied; run as root or as the user of the service, or let its group read the file',
  EISDIR: 'it is a directory',
};

const readBounded = (file: string): string => {
  // Looked at before opening: opening a FIFO would wait for a writer without end.
  if (!statSync(file).isFile()) throw unreadable(file, 'it is not a regular file');
  const descriptor = openSync(file, 'r');
  try {
    const size = fstatSync(descriptor).size;
    if (size > MAX_CONFIG_BYTES)
      throw unreadable(file, `it has ${size} bytes, at most ${MAX_CONFIG_BYTES} are accepted`);
    const buffer = Buffer.alloc(MAX_CONFIG_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length > MAX_CONFIG_BYTES) throw unreadable(file, `it has more than ${MAX_CONFIG_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } finally {
    closeSync(descriptor);
  }
};

/**
 * The text of a configuration file.
 * @returns undefined when the file is missing and `mayBeMissing`
 * @throws CompanionError CONFIG_UNREADABLE
 */
export const readConfigFile = (file: string, mayBeMissing: boolean): string | undefined => {
  try {
    return readBounded(file);
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    const code = errorCode(error);
    if (code === 'ENOENT' && mayBeMissing) return undefined;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw unreadable(file, 'it is not UTF-8 text', error);
    throw unreadable(file, WHY[code] ?? code, error);
  }
};
