/**
 * How a message is built, whatever it says and whatever it calls itself. In: a `SipView`, and packs of known tools. Out:
 * the id of its shape (the same everywhere, to be shared), and the entry of a pack that it matches, the one with the lowest
 * risk of a false alarm. Packs compile once; matching is linear in the message. Must never match a genuine phone, must
 * never repeat a password that a tool carries in its messages.
 */
export { compileTools, entriesOf, type ToolMatcher } from './compile.ts';
export { messageFields, packSchema, type MessageSource, type PackEntry, type ToolPack } from './pack-schema.ts';
export { describeShape, readShape, wireId, wireIdOf } from './shape.ts';
export { shippedPack, shippedTools } from './shipped.ts';
