/** What a header line is besides its name and value; bits of `SipMessage.flags`. */
export const LINE = {
  /** Spread over several lines (RFC 3261 7.3.1). */
  folded: 1,
  /** Blanks between name and colon: legal (HCOLON), and a way round naive filters (CVE-2020-28361). */
  blankBeforeColon: 2,
  noColon: 4,
  emptyName: 8,
  /** A name with characters that no token holds. */
  badName: 16,
  /** Ended by a LF without CR. */
  bareLf: 32,
  /** A CR without LF among the blanks around the value: some readers take it as the end of the line. */
  bareCr: 64,
} as const;

/** Numbers that the index keeps of a line: id, start of the name, its end, start of the value, its end, flags. */
export const STRIDE = 6;

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The start line as it was found, whether it is valid or not. Offsets are bytes from the start of the message. */
export type StartLine =
  | {
      readonly kind: 'request';
      readonly from: number;
      readonly to: number;
      readonly method: string;
      readonly uri: Span;
      /** Start of `SIP/2.0`; it ends with the line, or before its trailing blanks. */
      readonly version: Span;
    }
  | {
      readonly kind: 'reply';
      readonly from: number;
      readonly to: number;
      /** 0 when it is no number of three digits. */
      readonly status: number;
      readonly version: Span;
    };

/** Where each part stands, filled by the parser. */
export interface MessageIndex {
  readonly start: StartLine;
  /** `STRIDE` numbers a line, in wire order, malformed lines included. */
  readonly lines: readonly number[];
  /** Which of the first 32 ids there are, a bit each: most of what is sought is not there. */
  readonly present: number;
  /** The flags of all lines. */
  readonly marks: number;
  /** First byte behind the blank line; the size of the message when there is none. */
  readonly bodyStart: number;
  /** The blank line that ends the headers was there. */
  readonly complete: boolean;
  /** Lines beyond `MAX_HEADER_LINES` were left out. */
  readonly overflow: boolean;
}

const unfold = (folded: string): string =>
  folded
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();

/**
 * A SIP message as it stood on the wire: its bytes and an index of its lines. Nothing is decoded until it is asked for.
 * Offsets count bytes from the start; `text` holds one character a byte, so that they are the same in both.
 */
export class SipMessage implements MessageIndex {
  readonly bytes: Buffer;
  readonly text: string;
  readonly ascii: boolean;
  readonly start: StartLine;
  readonly lines: readonly number[];
  readonly present: number;
  readonly marks: number;
  readonly bodyStart: number;
  readonly complete: boolean;
  readonly overflow: boolean;

  constructor(bytes: Buffer, text: string, ascii: boolean, index: MessageIndex) {
    this.bytes = bytes;
    this.text = text;
    this.ascii = ascii;
    this.start = index.start;
    this.lines = index.lines;
    this.present = index.present;
    this.marks = index.marks;
    this.bodyStart = index.bodyStart;
    this.complete = index.complete;
    this.overflow = index.overflow;
  }

  /** Header lines, malformed ones included. */
  get count(): number {
    return this.lines.length / STRIDE;
  }

  id(line: number): number {
    return this.lines[line * STRIDE]!;
  }

  /** Where the line begins, i.e. where its name does. */
  nameStart(line: number): number {
    return this.lines[line * STRIDE + 1]!;
  }

  nameEnd(line: number): number {
    return this.lines[line * STRIDE + 2]!;
  }

  /** Value without the blanks around it; folds inside are still there. */
  valueStart(line: number): number {
    return this.lines[line * STRIDE + 3]!;
  }

  valueEnd(line: number): number {
    return this.lines[line * STRIDE + 4]!;
  }

  flags(line: number): number {
    return this.lines[line * STRIDE + 5]!;
  }

  /** First byte behind the line and its line end. */
  lineEnd(line: number): number {
    return line + 1 < this.count ? this.nameStart(line + 1) : this.headersEnd;
  }

  /** Where the blank line begins, or the message ends. */
  get headersEnd(): number {
    if (!this.complete) return this.text.length;
    // the blank line is LF or CRLF
    const lf = this.bodyStart - 1;
    return lf > 0 && this.text.charCodeAt(lf - 1) === 0x0d ? lf - 1 : lf;
  }

  /** First line of this id at or behind `from`, or -1. */
  first(id: number, from = 0): number {
    const { lines } = this;
    if (id < 32 && ((this.present >>> id) & 1) === 0) return -1;
    for (let at = from * STRIDE; at < lines.length; at += STRIDE) if (lines[at] === id) return at / STRIDE;
    return -1;
  }

  /** Whether any line has this flag. */
  isMarked(flag: number): boolean {
    return (this.marks & flag) !== 0;
  }

  /** Name as written. */
  name(line: number): string {
    return this.text.slice(this.nameStart(line), this.nameEnd(line));
  }

  /** Value with folds turned into single spaces, one character a byte, unbounded. */
  value(line: number): string {
    const raw = this.text.slice(this.valueStart(line), this.valueEnd(line));
    return (this.flags(line) & LINE.folded) === 0 ? raw : unfold(raw);
  }

  get body(): Buffer {
    return this.bytes.subarray(this.bodyStart);
  }
}
