import type { Drop } from './captured-message.ts';

/** What may stand before the body, and the whole of a message. */
const MAX_HEADER_BYTES = 32_768;
const MAX_MESSAGE_BYTES = 65_535;

const NOTHING = Buffer.alloc(0);
const END_OF_HEADERS = '\r\n\r\n';
const START_LINE = /^(?:SIP\/2\.0 \d{3}|[A-Z]{2,16} \S{1,1024} SIP\/2\.0\r)/;
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r\n/i;
const TLS_HANDSHAKE = 0x16;

/** Cuts one direction of a connection into messages by Content-Length (RFC 3261 18.3). */
export class StreamFramer {
  readonly #drop: Drop;
  #held: Buffer = NOTHING;
  /** False at the start and after a gap: only what begins like a message is taken up. */
  #inStep = false;
  #opaque = false;

  constructor(drop: Drop) {
    this.#drop = drop;
  }

  /** Bytes are missing. */
  lost(): void {
    this.#held = NOTHING;
    this.#inStep = false;
  }

  *push(bytes: Buffer): Generator<Buffer> {
    if (this.#opaque) return;
    if (!this.#inStep && this.#held.length === 0 && bytes[0] === TLS_HANDSHAKE && bytes[1] === 3) {
      this.#opaque = true;
      return this.#drop('tls');
    }
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      const message = this.#next();
      if (message === undefined) break;
      yield message;
    }
    // the chunk of the file that the rest stands in is not to be held
    this.#held = this.#held.length === 0 ? NOTHING : Buffer.from(this.#held);
  }

  #next(): Buffer | undefined {
    let start = 0;
    // keep-alives (RFC 5626 4.4.1)
    while (this.#held[start] === 0x0d || this.#held[start] === 0x0a) start += 1;
    if (start > 0) this.#held = this.#held.subarray(start);
    if (this.#held.length === 0) return undefined;
    const end = this.#held.subarray(0, MAX_HEADER_BYTES).indexOf(END_OF_HEADERS, 0, 'latin1');
    if (end < 0) {
      if (this.#held.length >= MAX_HEADER_BYTES) this.#giveUp();
      return undefined;
    }
    const headers = this.#held.toString('latin1', 0, end + 2);
    if (!START_LINE.test(headers.slice(0, 1_200))) {
      this.#giveUp();
      return undefined;
    }
    this.#inStep = true;
    const size = end + END_OF_HEADERS.length + Number(CONTENT_LENGTH.exec(headers)?.[1] ?? 0);
    if (size > MAX_MESSAGE_BYTES) {
      this.#giveUp();
      return undefined;
    }
    if (this.#held.length < size) return undefined;
    const message = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    return message;
  }

  #giveUp(): void {
    this.#drop('stream-not-sip');
    this.lost();
  }
}
