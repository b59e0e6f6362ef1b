import { headerIdOf } from './header-names.ts';
import { MAX_MESSAGE_BYTES, MAX_STREAM_HEADER_BYTES } from './limits.ts';
import { isParseFault, parseSip } from './parse.ts';
import type { SipMessage } from './message.ts';

const LF = 0x0a;
const CR = 0x0d;

/** What a stream starts with before its first byte came; it grows up to one message. */
const FIRST_BUFFER_BYTES = 2_048;

/** Why a stream cannot be read on: where its next message begins is unknown, so that the connection must end. */
export type FramingFault =
  | 'not-sip'
  | 'headers-too-large'
  | 'message-too-large'
  | 'content-length-invalid'
  | 'content-length-conflict';

export type Framed =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** RFC 5626 4.4.1: a double CRLF between messages wants a single one back. */
  | { readonly kind: 'ping' }
  /** A single CRLF between messages: the answer to a ping, or nothing. */
  | { readonly kind: 'pong' }
  | { readonly kind: 'fault'; readonly fault: FramingFault };

const CONTENT_LENGTH = headerIdOf('content-length');

/** RFC 3261 20.14. More digits than a message may have bytes are too large whatever they say (CVE-2026-23457 wrapped). */
const DIGITS = /^\d{1,10}$/;

/**
 * Length that the headers announce, 0 when they say none. Two different values are an attack on whoever reads only one
 * of them (request smuggling), so they end the stream.
 */
const announcedBytes = (message: SipMessage): number | 'content-length-invalid' | 'content-length-conflict' => {
  let announced = -1;
  for (let line = message.first(CONTENT_LENGTH); line >= 0; line = message.first(CONTENT_LENGTH, line + 1)) {
    const value = message.value(line);
    if (!DIGITS.test(value)) return 'content-length-invalid';
    if (announced >= 0 && announced !== Number(value)) return 'content-length-conflict';
    announced = Number(value);
  }
  return Math.max(announced, 0);
};

/**
 * Cuts the bytes of a TCP or TLS connection into messages (RFC 3261 18.3): partial ones wait, pipelined ones come one
 * after the other, line ends between them are keep-alives. Holds one message at most. A fault is the last thing it says.
 */
export class StreamFraming {
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  /** What is held stands between these two. */
  #from = 0;
  #to = 0;
  /** Up to here the end of the headers was sought already. */
  #sought = 0;
  /** Size of the message whose headers are complete, else 0. */
  #expected = 0;
  #ended = false;

  /** Bytes that wait for the rest of their message. */
  get heldBytes(): number {
    return this.#to - this.#from;
  }

  /** Takes what came. @returns what it completes, in order; nothing after a fault */
  push(chunk: Buffer): Framed[] {
    const framed: Framed[] = [];
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      // never more than one message is held, however large the chunk
      const piece = chunk.subarray(at, at + MAX_MESSAGE_BYTES + 1 - this.heldBytes);
      this.#hold(piece);
      at += piece.length;
      this.#cut(framed);
    }
    return framed;
  }

  #hold(piece: Buffer): void {
    const held = this.heldBytes;
    if (this.#to + piece.length > this.#buffer.length) {
      const fits = held + piece.length <= this.#buffer.length;
      const target = fits ? this.#buffer : Buffer.allocUnsafe(Math.max(held + piece.length, this.#buffer.length * 2));
      this.#buffer.copy(target, 0, this.#from, this.#to);
      this.#buffer = target;
      this.#sought = Math.max(0, this.#sought - this.#from);
      this.#from = 0;
      this.#to = held;
    }
    piece.copy(this.#buffer, this.#to);
    this.#to += piece.length;
  }

  /** Leaves what was read behind. */
  #skipTo(offset: number): void {
    this.#from = offset;
    this.#sought = offset;
    this.#expected = 0;
  }

  #fail(framed: Framed[], fault: FramingFault): void {
    framed.push({ kind: 'fault', fault });
    this.#ended = true;
    this.#from = 0;
    this.#to = 0;
    this.#buffer = Buffer.alloc(0);
  }

  #cut(framed: Framed[]): void {
    while (!this.#ended && this.heldBytes > 0) {
      if (this.#expected === 0 && !this.#keepAlives(framed)) return;
      if (this.#expected === 0 && !this.#headers(framed)) return;
      const end = this.#from + this.#expected;
      if (this.#to < end) return;
      framed.push({ kind: 'message', bytes: Buffer.from(this.#buffer.subarray(this.#from, end)) });
      this.#skipTo(end);
    }
  }

  /** Takes line ends off the front. @returns false when nothing else is there, or line ends wait for their other half */
  #keepAlives(framed: Framed[]): boolean {
    const buffer = this.#buffer;
    const to = this.#to;
    let at = this.#from;
    let waits = false;
    while (at < to && (buffer[at] === CR || buffer[at] === LF)) {
      if (buffer[at] === LF || (at + 1 < to && buffer[at + 1] !== LF)) {
        at += 1;
      } else if (at + 1 === to || at + 2 === to || (at + 3 === to && buffer[at + 2] === CR)) {
        // CR, CRLF or CRLFCR: the second half of a ping may still be on its way
        waits = true;
        break;
      } else if (buffer[at + 2] === CR && buffer[at + 3] === LF) {
        framed.push({ kind: 'ping' });
        at += 4;
      } else {
        framed.push({ kind: 'pong' });
        at += 2;
      }
    }
    if (at > this.#from) this.#skipTo(at);
    return !waits && this.heldBytes > 0;
  }

  /** Looks for the end of the headers and the announced length. @returns false when more bytes are needed, or at a fault */
  #headers(framed: Framed[]): boolean {
    const end = this.#endOfHeaders();
    if ((end < 0 ? this.#to : end) - this.#from > MAX_STREAM_HEADER_BYTES) {
      this.#fail(framed, 'headers-too-large');
      return false;
    }
    if (end < 0) return false;
    const message = parseSip(this.#buffer.subarray(this.#from, end));
    if (isParseFault(message)) {
      this.#fail(framed, 'not-sip');
      return false;
    }
    const announced = announcedBytes(message);
    const size = typeof announced === 'string' ? 0 : end - this.#from + announced;
    if (typeof announced === 'string') this.#fail(framed, announced);
    else if (size > MAX_MESSAGE_BYTES) this.#fail(framed, 'message-too-large');
    else this.#expected = size;
    return this.#expected > 0;
  }

  /** Offset behind the blank line, or -1. LF alone ends lines too, as the parser reads them. */
  #endOfHeaders(): number {
    const buffer = this.#buffer.subarray(0, this.#to);
    let lf = buffer.indexOf(LF, this.#sought);
    while (lf >= 0) {
      if (buffer[lf + 1] === LF) return lf + 2;
      if (buffer[lf + 1] === CR && buffer[lf + 2] === LF) return lf + 3;
      // what stands behind this line end is not all here yet
      if (lf + 2 >= this.#to) break;
      lf = buffer.indexOf(LF, lf + 1);
    }
    this.#sought = lf < 0 ? this.#to : lf;
    return -1;
  }
}
