import type { SipMessage } from './message.ts';
import type { HeaderName } from './header-names.ts';
import { headerIdOf } from './header-names.ts';

/** A piece of the message that is replaced; offsets of the original. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Line breaks in a value would become header lines of their own. */
const BREAKS = /[\r\n\0]/;

const checked = (text: string): string => {
  if (BREAKS.test(text)) throw new Error('a header value must not hold line breaks or NUL');
  return text;
};

/**
 * Changes of one message, collected and then written at once: every byte that no change names stays as it was, folding,
 * odd blanks and line ends included. Values are one character a byte (UTF-8 must be encoded by the caller).
 */
export class SipEdit {
  readonly #message: SipMessage;
  readonly #changes: Change[] = [];

  constructor(message: SipMessage) {
    this.#message = message;
  }

  /** Replaces the value of a line, its name and the blanks around it stay. @throws Error for values with line breaks (a bug) */
  setValue(line: number, value: string): this {
    this.#change(this.#message.valueStart(line), this.#message.valueEnd(line), checked(value));
    return this;
  }

  /** Takes a line out, all of its folds included. */
  remove(line: number): this {
    this.#change(this.#message.nameStart(line), this.#message.lineEnd(line), '');
    return this;
  }

  /** Takes every line of a header out, in each way in which its name can be written. */
  removeAll(name: HeaderName): this {
    const id = headerIdOf(name);
    for (let line = this.#message.first(id); line >= 0; line = this.#message.first(id, line + 1)) this.remove(line);
    return this;
  }

  /** Puts a line before the first header line: where a Via or Record-Route of our own belongs (RFC 3261 16.6). */
  prepend(name: string, value: string): this {
    const at = this.#message.count > 0 ? this.#message.nameStart(0) : this.#message.headersEnd;
    this.#change(at, at, `${checked(name)}: ${checked(value)}\r\n`);
    return this;
  }

  /** Puts a line behind the last header line. */
  append(name: string, value: string): this {
    const at = this.#message.headersEnd;
    this.#change(at, at, `${checked(name)}: ${checked(value)}\r\n`);
    return this;
  }

  /** Replaces the Request-URI. Does nothing to a reply. */
  setRequestUri(uri: string): this {
    const { start } = this.#message;
    if (start.kind === 'request') this.#change(start.uri.from, start.uri.to, checked(uri));
    return this;
  }

  /** @returns the message with all changes; the original bytes are not touched */
  toBuffer(): Buffer {
    const { bytes } = this.#message;
    const pieces: Buffer[] = [];
    let at = 0;
    // changes at the same place keep the order in which they were asked for
    for (const { from, to, text } of this.#changes.toSorted((a, b) => a.from - b.from)) {
      if (from < at) continue;
      pieces.push(bytes.subarray(at, from), Buffer.from(text, 'latin1'));
      at = to;
    }
    pieces.push(bytes.subarray(at));
    return Buffer.concat(pieces);
  }

  #change(from: number, to: number, text: string): void {
    this.#changes.push({ from, to, text });
  }
}
