import { headerGrammar, isPlainVia } from '../../grammar/index.ts';
import { headerIdOf, LINE, STRIDE } from '../../message/index.ts';
import type { HeaderName, SipMessage } from '../../message/index.ts';
import { KNOWN_TO_KAMAILIO } from './kamailio-names.ts';
import { parameterBytes } from './parameter.ts';
import { openQuote } from './quotes.ts';

const VIA = headerIdOf('via');
const FROM = headerIdOf('from');
const CALL_ID = headerIdOf('call-id');
const CSEQ = headerIdOf('cseq');
const COMMA = 0x2c;

/** Calls `look` with each line of the header; the first offset that it finds, or -1. */
const inLines = (message: SipMessage, id: number, look: (line: number) => number): number => {
  for (let line = message.first(id); line >= 0; line = message.first(id, line + 1)) {
    const found = look(line);
    if (found >= 0) return found;
  }
  return -1;
};

export const repeated = (message: SipMessage, id: number): number => {
  const first = message.first(id);
  const second = first < 0 ? -1 : message.first(id, first + 1);
  return second < 0 ? -1 : message.nameStart(second);
};

export const emptyTag = (message: SipMessage, id: number): number =>
  inLines(message, id, (line) =>
    parameterBytes(message.text, message.valueStart(line), message.valueEnd(line), 'tag') === 0
      ? message.valueStart(line)
      : -1,
  );

/** @throws Error for a header without a grammar (a bug in the catalogue) */
export const grammarOf = (header: HeaderName): ((message: SipMessage) => number) => {
  const scan = headerGrammar(header);
  if (scan === undefined) throw new Error(`no grammar for ${header}`);
  const id = headerIdOf(header);
  return (message) =>
    inLines(message, id, (line) => {
      if (id === VIA && isPlainVia(message.bytes, message.valueStart(line), message.valueEnd(line))) return -1;
      const end = scan(message.text, message.valueStart(line), message.valueEnd(line));
      return end < 0 ? ~end : end < message.valueEnd(line) ? end : -1;
    });
};

export const openQuoteIn = (message: SipMessage, ids: readonly number[]): number => {
  for (const id of ids) {
    const found = inLines(message, id, (line) =>
      openQuote(message.text, message.valueStart(line), message.valueEnd(line)),
    );
    if (found >= 0) return found;
  }
  return -1;
};

const TYPED: ReadonlySet<string> = new Set(KNOWN_TO_KAMAILIO);

/** CVE-2020-28361. */
export const blankBeforeColon = (message: SipMessage): number => {
  if (!message.isMarked(LINE.blankBeforeColon)) return -1;
  for (let line = 0; line < message.count; line += 1) {
    if ((message.flags(line) & LINE.blankBeforeColon) === 0) continue;
    const length = message.nameEnd(line) - message.nameStart(line);
    // one letter is a compact form
    if (length > 1 && !TYPED.has(message.name(line).toLowerCase())) return message.nameEnd(line);
  }
  return -1;
};

export const nameLonger = ({ lines }: SipMessage, bytes: number): number => {
  for (let at = 0; at < lines.length; at += STRIDE) if (lines[at + 2]! - lines[at + 1]! > bytes) return lines[at + 1]!;
  return -1;
};

export const valueLonger = (message: SipMessage, id: number, bytes: number): number =>
  inLines(message, id, (line) =>
    message.valueEnd(line) - message.valueStart(line) > bytes ? message.valueStart(line) : -1,
  );

export const numberAbove = (message: SipMessage, id: number, value: number): number =>
  inLines(message, id, (line) => {
    const { text } = message;
    const end = message.valueEnd(line);
    let seen = 0;
    for (let at = message.valueStart(line); at < end; at += 1) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      seen = seen * 10 + digit;
      if (seen > value) return message.valueStart(line);
    }
    return -1;
  });

export const valuesAbove = (message: SipMessage, id: number, count: number): number => {
  let seen = 0;
  return inLines(message, id, (line) => {
    const end = message.valueEnd(line);
    seen += 1;
    for (let at = message.valueStart(line); at < end && seen <= count; at += 1) {
      if (message.text.charCodeAt(at) === COMMA) seen += 1;
    }
    return seen > count ? message.nameStart(line) : -1;
  });
};

/** Where the method of CSeq begins, or -1. */
const cseqMethod = (message: SipMessage, line: number): number => {
  const { text } = message;
  const end = message.valueEnd(line);
  let at = message.valueStart(line);
  while (at < end && text.charCodeAt(at) > 0x20) at += 1;
  while (at < end && text.charCodeAt(at) <= 0x20) at += 1;
  return at < end ? at : -1;
};

export const cseqMethodLonger = (message: SipMessage, bytes: number): number =>
  inLines(message, CSEQ, (line) => {
    const from = cseqMethod(message, line);
    const size = message.valueEnd(line) - from;
    if (from < 0 || size <= bytes) return -1;
    const { start, text } = message;
    const own = start.kind === 'request' && start.method.length === size && text.startsWith(start.method, from);
    return own ? -1 : from;
  });

/** A reply of one of the codes, to that method. */
export const replyTo = (message: SipMessage, codes: readonly number[], method: string): number => {
  const { start, text } = message;
  if (start.kind !== 'reply' || !codes.includes(start.status)) return -1;
  const line = message.first(CSEQ);
  const from = line < 0 ? -1 : cseqMethod(message, line);
  return from >= 0 && text.slice(from, message.valueEnd(line)) === method ? start.from : -1;
};

/** CVE-2018-8828: tmx copies these five, with an end each, into a buffer that was one byte short. */
export const transactionKeyLonger = (message: SipMessage, bytes: number): number => {
  const { text } = message;
  const from = message.first(FROM);
  const via = message.first(VIA);
  const callId = message.first(CALL_ID);
  const cseq = message.first(CSEQ);
  const size = (line: number): number => (line < 0 ? 0 : message.valueEnd(line) - message.valueStart(line));
  const parameter = (line: number, name: string): number =>
    line < 0 ? 0 : Math.max(0, parameterBytes(text, message.valueStart(line), message.valueEnd(line), name));
  const short = size(callId) + size(cseq);
  // the values as a whole bound their parameters: most messages need no further look
  if (short + size(from) + size(via) <= bytes) return -1;
  return short + parameter(from, 'tag') + parameter(via, 'branch') > bytes ? message.start.from : -1;
};

/** Headers whose grammar has `$` and the like in everyday use are left out; the shell functions of CVE-2014-6271 are not. */
const SHELL = /\(\)\s{0,8}\{|\$\(|`/;

const ROUTING: ReadonlySet<number> = new Set([VIA, CALL_ID, CSEQ]);

/** Kamailio's exec hands each header to the command as `SIP_HF_…`, the Request-URI and others besides. */
export const shellText = (message: SipMessage): number => {
  if (!SHELL.test(message.text.slice(message.start.to, message.headersEnd))) return -1;
  for (let line = 0; line < message.count; line += 1) {
    if (ROUTING.has(message.id(line))) continue;
    if (SHELL.test(message.text.slice(message.valueStart(line), message.valueEnd(line)))) {
      return message.valueStart(line);
    }
  }
  return -1;
};
