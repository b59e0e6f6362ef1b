import { readFile, stat } from 'node:fs/promises';
import { CompanionError } from '../../model/index.ts';

/** Some 200,000 rows; more is fed by a program through the API. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

const unreadable = (file: string, why: string, cause?: unknown): CompanionError =>
  new CompanionError('REQUEST_INVALID', `Cannot read ${file}: ${why}.`, { cause });

/** In words, what an operator meets most. */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a directory',
};

/** Spreadsheets write UTF-16 with a mark, or what Windows calls ANSI, where umlauts are: addresses are the same in all. */
const textOf = (bytes: Buffer): string => {
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff')
    return new TextDecoder(mark === 'fffe' ? 'utf-16le' : 'utf-16be', { fatal: true }).decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (bytes.includes(0)) throw error;
    return new TextDecoder('windows-1252').decode(bytes);
  }
};

const fromStdin = async (): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES) throw unreadable('standard input', `it has more than ${MAX_FILE_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
};

const fromFile = async (file: string): Promise<Buffer> => {
  const { size } = await stat(file);
  if (size > MAX_FILE_BYTES) throw unreadable(file, `it has ${size} bytes, at most ${MAX_FILE_BYTES} are read`);
  return readFile(file);
};

/** Text of a file, `-` for standard input. @throws CompanionError REQUEST_INVALID */
export const readText = async (file: string): Promise<string> => {
  try {
    const bytes = await (file === '-' ? fromStdin() : fromFile(file));
    return textOf(bytes);
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is no text' : (WHY[code ?? ''] ?? code ?? message);
    throw unreadable(file, why, error);
  }
};
