/**
 * Bytes → an index of a SIP message's lines, nothing decoded. Tolerant, bounded, one pass; says what it found odd, never
 * whether that is allowed (see `validate`), never throws on any bytes.
 */
export { SipEdit } from './edit.ts';
export { StreamFraming } from './framing.ts';
export type { Framed, FramingFault } from './framing.ts';
export { HEADER_NAMES, headerIdOf, headerNameOf, OTHER_HEADER, SINGLETONS } from './header-names.ts';
export type { HeaderName } from './header-names.ts';
export { classifyKeepAlive } from './keep-alive.ts';
export type { KeepAlive } from './keep-alive.ts';
export { LINE, SipMessage, STRIDE } from './message.ts';
export type { Span, StartLine } from './message.ts';
export { isParseFault, parseSip } from './parse.ts';
export type { ParseFault } from './parse.ts';
export { redactMessage } from './redact.ts';
export { partsOf, writeMessage } from './serialize.ts';
export type { MessageParts } from './serialize.ts';
export { decodeText, MAX_VALUE_CHARS } from './text.ts';
