import { closeSync, openSync, readSync } from 'node:fs';
import { CompanionError, escapeText } from '../model/index.ts';

const CHUNK_BYTES = 1_048_576;
const STANDARD_INPUT = '-';

/** A pipe whose writer is slow is not waited for where it was opened so: looked at again after this time. */
const PIPE_NAP_MS = 10;
const nap = new Int32Array(new SharedArrayBuffer(4));

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

const unreadable = (file: string, error: NodeJS.ErrnoException): CompanionError =>
  new CompanionError(
    'CAPTURE_UNREADABLE',
    `Cannot read the capture ${escapeText(file, 200)}: ${WHY[error.code ?? ''] ?? error.message}.`,
    { cause: error },
  );

/** @returns how many bytes were read, 0 at the end */
const readInto = (handle: number, chunk: Buffer): number => {
  for (;;) {
    try {
      return readSync(handle, chunk, 0, chunk.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(nap, 0, 0, PIPE_NAP_MS);
    }
  }
};

/** The bytes of a file, or of standard input for `-`, a megabyte at a time. @throws CompanionError CAPTURE_UNREADABLE */
export const readChunks = function* (file: string): Generator<Buffer> {
  let handle: number | undefined;
  try {
    handle = file === STANDARD_INPUT ? 0 : openSync(file, 'r');
    for (;;) {
      // not one buffer again and again: messages are views into it
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const size = readInto(handle, chunk);
      if (size === 0) return;
      yield chunk.subarray(0, size);
    }
  } catch (error) {
    throw error instanceof CompanionError ? error : unreadable(file, error as NodeJS.ErrnoException);
  } finally {
    if (handle !== undefined && handle !== 0) closeSync(handle);
  }
};
