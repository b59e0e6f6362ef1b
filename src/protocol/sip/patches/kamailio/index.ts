/**
 * Patches in the language of Kamailio's configuration: tests of the raw message that run before its parser. In: the
 * catalogue. Out: the text of one file. A condition that the language cannot say is left out; what it says is never
 * stricter than the condition on a legal message.
 */
export { kamailioPatches, patchSymbol } from './file.ts';
