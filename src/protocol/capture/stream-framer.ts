import { StreamFraming } from '../sip/message/index.ts';
import type { Drop } from './captured-message.ts';

const TLS_HANDSHAKE = 0x16;
const START_LINE = /^(?:\r\n){0,4}(?:SIP\/2\.0 \d{3}|[A-Za-z0-9.!%*_+`'~-]{1,32} \S{1,2048} SIP\/2\.0)/;
const START_LINE_CHARS = 2_100;

/** Cuts one direction of a connection into messages, and finds in again where the capture began late or has a gap. */
export class StreamFramer {
  readonly #drop: Drop;
  /** None at the start and after a gap: only a segment that begins like a message is taken up. */
  #framing: StreamFraming | undefined;
  #opaque = false;

  constructor(drop: Drop) {
    this.#drop = drop;
  }

  /** The connection begins here: what comes next is the start of a message, however little of it comes at first. */
  begin(): void {
    this.#framing = new StreamFraming();
  }

  /** Bytes are missing, so that nobody knows where the next message begins. */
  lost(): void {
    this.#framing = undefined;
  }

  *push(bytes: Buffer): Generator<Buffer> {
    if (this.#opaque) return;
    if (bytes[0] === TLS_HANDSHAKE && bytes[1] === 3) {
      this.#opaque = true;
      return this.#drop('tls');
    }
    if (this.#framing === undefined) {
      if (!START_LINE.test(bytes.toString('latin1', 0, START_LINE_CHARS))) return this.#drop('stream-not-sip');
      this.#framing = new StreamFraming();
    }
    for (const framed of this.#framing.push(bytes)) {
      if (framed.kind === 'message') yield framed.bytes;
      if (framed.kind !== 'fault') continue;
      this.#drop(`stream-${framed.fault}`);
      this.lost();
    }
  }
}
