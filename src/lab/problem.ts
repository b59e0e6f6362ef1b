import { closeSync, openSync, readSync, fstatSync } from 'node:fs';

/** Something that keeps the lab from running; the message is whole sentences for whoever started it. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

const TAIL_BYTES = 16_384;
const TAIL_LINES = 12;
/** Lines of Kamailio's log that say why it ended; the rest is chatter around them. */
const TELLING = /\b(?:CRITICAL|ERROR|ALERT|EMERG)\b/;

/** The end of a log file: its lines about errors where it has any. Empty when there is nothing to show. */
export const tailOf = (file: string): string => {
  let text = '';
  try {
    const handle = openSync(file, 'r');
    try {
      const { size } = fstatSync(handle);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      text = bytes.toString('utf8', 0, readSync(handle, bytes, 0, bytes.length, Math.max(0, size - TAIL_BYTES)));
    } finally {
      closeSync(handle);
    }
  } catch {
    return '';
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => TELLING.test(line));
  return (telling.length > 0 ? telling : lines).slice(-TAIL_LINES).join('\n');
};

/** A sentence, and below it what the failing program said. */
export const withTail = (sentence: string, file: string): LabError => {
  const tail = tailOf(file);
  return new LabError(tail === '' ? `${sentence} It wrote nothing.` : `${sentence} Its last words:\n${tail}`);
};
