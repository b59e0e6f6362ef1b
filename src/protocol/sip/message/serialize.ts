import type { SipMessage } from './message.ts';
import { LINE } from './message.ts';

/** A message in parts: what a writer needs, and what a reader gets back of a valid message. */
export interface MessageParts {
  /** Request line or status line. */
  readonly startLine: string;
  /** Names as written and values without folds, in wire order; one character a byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const BREAKS = /[\r\n]/;

/**
 * Writes a message: CRLF, `Name: value`, a blank line, the body as it is.
 * @throws Error when a part holds a line break: it would become a line of its own (a bug of the caller)
 */
export const writeMessage = ({ startLine, headers, body }: MessageParts): Buffer => {
  const lines = [startLine, ...headers.map(([name, value]) => (value === '' ? `${name}:` : `${name}: ${value}`))];
  if (lines.some((line) => BREAKS.test(line))) throw new Error('a part of a message must not hold line breaks');
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
};

/** Takes a parsed message apart again; lines without a proper name are left out. */
export const partsOf = (message: SipMessage): MessageParts => {
  const { start, text } = message;
  const headers: (readonly [string, string])[] = [];
  for (let line = 0; line < message.count; line += 1) {
    if ((message.flags(line) & (LINE.noColon | LINE.emptyName | LINE.badName)) !== 0) continue;
    headers.push([message.name(line), message.value(line)]);
  }
  return { startLine: text.slice(start.from, start.to), headers, body: Buffer.from(message.body) };
};
