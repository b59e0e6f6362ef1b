import { isAscii } from 'node:buffer';
import { classifyKeepAlive } from './keep-alive.ts';
import { HEADER_NAMES, headerIdAt, isToken, OTHER_HEADER } from './header-names.ts';
import { MAX_HEADER_LINES, MAX_MESSAGE_BYTES } from './limits.ts';
import { LINE, SipMessage, STRIDE } from './message.ts';
import { readStartLine } from './start-line.ts';

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const HT = 0x09;
const COLON = 0x3a;

/** Why bytes are no SIP message. `offset` is where that was seen; `detail` holds our own words only. */
export interface ParseFault {
  readonly fault: 'empty' | 'keep-alive' | 'not-sip' | 'too-large' | 'no-headers';
  readonly detail: string;
  readonly offset: number;
}

export const isParseFault = (parsed: SipMessage | ParseFault): parsed is ParseFault => 'fault' in parsed;

const fault = (kind: ParseFault['fault'], detail: string, offset = 0): ParseFault => ({ fault: kind, detail, offset });

const isBlank = (code: number): boolean => code === SP || code === HT;

/** The index of the message at hand, copied when it is complete: a list that grows by itself took 5 % of the parsing. */
const scratch: number[] = [];

/**
 * Takes a message apart: one pass over its bytes, an index of its lines, no values. Tolerant towards everything that
 * another reader might tolerate (LF for CRLF, blanks before the colon, folding, lines without colon), so that nothing
 * hides from us what a server reads; what of it is wrong is for the validator to say.
 * @returns the message, or why there is none; never throws, on any bytes
 */
export const parseSip = (bytes: Buffer): SipMessage | ParseFault => {
  const size = bytes.length | 0;
  if (size === 0) return fault('empty', 'no bytes');
  if (size > MAX_MESSAGE_BYTES) return fault('too-large', `${size} bytes`, MAX_MESSAGE_BYTES);
  const keepAlive = classifyKeepAlive(bytes);
  if (keepAlive !== undefined) return fault('keep-alive', keepAlive);
  const text = bytes.toString('latin1');
  // RFC 3261 7.5: line ends before the start line are ignored; servers skip blanks and control characters as well
  let start = 0;
  while (start < size && bytes[start]! <= SP) start += 1;
  let lf = text.indexOf('\n', start) | 0;
  const startLine = readStartLine(bytes, text, start, lf < 0 ? size : bytes[lf - 1] === CR ? lf - 1 : lf);
  if (startLine === undefined)
    return fault('not-sip', 'the first line is neither a request line nor a status line', start);
  let used = 0;
  let present = 0;
  let marks = 0;
  let complete = false;
  let seen = 0;
  let named = false;
  let indexed: Uint8Array | undefined;
  let bodyStart = size;
  let at = lf < 0 ? size : lf + 1;
  while (at < size) {
    const first = bytes[at]!;
    if (first === LF || (first === CR && bytes[at + 1] === LF)) {
      complete = true;
      bodyStart = first === LF ? at + 1 : at + 2;
      break;
    }
    lf = text.indexOf('\n', at) | 0;
    if (lf < 0) lf = size;
    let end = bytes[lf - 1] === CR ? lf - 1 : lf;
    const nameLimit = end;
    let flags = end === lf && lf < size ? LINE.bareLf : 0;
    // the lines folded into the value
    while (lf + 1 < size && isBlank(bytes[lf + 1]!)) {
      flags |= LINE.folded;
      lf = text.indexOf('\n', lf + 1) | 0;
      if (lf < 0) lf = size;
      end = bytes[lf - 1] === CR ? lf - 1 : lf;
      if (end === lf && lf < size) flags |= LINE.bareLf;
    }
    let colon = at;
    while (colon < nameLimit && bytes[colon]! !== COLON) colon += 1;
    let id = OTHER_HEADER;
    let nameEnd = at;
    let from = at;
    let to = end;
    if (colon === nameLimit) {
      flags |= LINE.noColon;
    } else {
      named = true;
      nameEnd = colon;
      while (nameEnd > at && isBlank(bytes[nameEnd - 1]!)) nameEnd -= 1;
      if (nameEnd < colon) flags |= LINE.blankBeforeColon;
      from = colon + 1;
      while (from < to && isLws(bytes[from]!)) from += 1;
      while (to > from && isLws(bytes[to - 1]!)) to -= 1;
      const isPlain = to === end && (from === colon + 1 || (from === colon + 2 && bytes[from - 1] === SP));
      if (!isPlain && (hasBareCr(bytes, colon, from) || hasBareCr(bytes, to, end))) flags |= LINE.bareCr;
      id = headerIdAt(bytes, at, nameEnd);
      if (id === OTHER_HEADER) {
        if (nameEnd === at) flags |= LINE.emptyName;
        else if (!isToken(bytes, at, nameEnd)) flags |= LINE.badName;
      }
    }
    seen += 1;
    // padding must not hide a From: of what lies beyond the cap, the first of each known name is kept
    if (seen > MAX_HEADER_LINES) indexed ??= idsIn(scratch, used);
    if (indexed === undefined || (id !== OTHER_HEADER && indexed[id] === 0)) {
      scratch[used] = id;
      scratch[used + 1] = at;
      scratch[used + 2] = nameEnd;
      scratch[used + 3] = from;
      scratch[used + 4] = to;
      scratch[used + 5] = flags;
      used += STRIDE;
      if (id < 32) present |= 1 << id;
      marks |= flags;
      if (indexed !== undefined) indexed[id] = 1;
    }
    at = lf + 1;
  }
  if (!named) return fault('no-headers', 'a start line without headers', Math.min(at, size));
  const overflow = seen > MAX_HEADER_LINES;
  const lines = scratch.slice(0, used);
  return new SipMessage(bytes, text, isAscii(bytes), {
    start: startLine,
    lines,
    present,
    marks,
    bodyStart,
    complete,
    overflow,
  });
};

/** Which ids the index holds: 1 at each. */
const idsIn = (lines: readonly number[], used: number): Uint8Array => {
  const ids = new Uint8Array(HEADER_NAMES.length + 1);
  for (let at = 0; at < used; at += STRIDE) ids[lines[at]!] = 1;
  return ids;
};

const isLws = (code: number): boolean => code === SP || code === HT || code === CR || code === LF;

const hasBareCr = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at += 1) if (bytes[at] === CR && bytes[at + 1] !== LF) return true;
  return false;
};
