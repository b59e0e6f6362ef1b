import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { MessageSource } from '../enrich/index.ts';
import { CompanionError, escapeText } from '../model/index.ts';

/** The largest UDP datagram; a capture may hold more. */
const MAX_MESSAGE_BYTES = 65_535;
const MAX_CAPTURE_BYTES = 67_108_864;

const readBounded = (file: string, most: number): Buffer => {
  const refuse = (why: string, cause?: unknown): CompanionError =>
    new CompanionError('CONFIG_UNREADABLE', `Cannot read ${escapeText(file, 200)}, which a case names: ${why}.`, {
      cause,
    });
  try {
    // looked at before opening: a FIFO would wait for a writer without end
    const found = statSync(file);
    if (!found.isFile()) throw refuse('it is not a regular file');
    if (found.size > most) throw refuse(`it has ${found.size} bytes, at most ${most} are read`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw refuse(code === 'ENOENT' ? 'there is no such file' : code, error);
  }
};

/** A file named by another one: relative names are beside that. */
export const beside = (file: string, named: string): string => resolve(dirname(file), named);

/** @throws CompanionError CONFIG_UNREADABLE */
export const readCaptureFile = (file: string): Buffer => readBounded(file, MAX_CAPTURE_BYTES);

/** Text as it is written in YAML becomes a message: lines end in CRLF, and the head in an empty line. */
const fromText = (text: string): Buffer => {
  const lines = text.replaceAll(/\r?\n/g, '\r\n');
  const closed = lines.includes('\r\n\r\n') ? lines : `${lines.replace(/(?:\r\n)?$/, '\r\n')}\r\n`;
  return Buffer.from(closed, 'utf8');
};

/**
 * The bytes of a message.
 * @param from the file that names it
 * @throws CompanionError CONFIG_UNREADABLE
 */
export const messageBytes = (source: MessageSource, from: string): Buffer => {
  if (source.file !== undefined) return readBounded(beside(from, source.file), MAX_MESSAGE_BYTES);
  return source.message !== undefined ? fromText(source.message) : Buffer.from(source.base64 ?? '', 'base64');
};
