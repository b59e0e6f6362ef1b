/**
 * Virtual patches: messages that a known bug of some server needs, named by their structure. In: a parsed message, and
 * the server's version where it is known. Out: the patches that it fits, and the Kamailio configuration that stops the
 * same messages before its parser. Data and pure functions; must never stop a message where nothing is known to be
 * affected.
 */
export { PATCHES } from './catalogue/index.ts';
export { createPatchFinder, findPatches } from './find.ts';
export type { PatchHit, Whole } from './find.ts';
export { kamailioPatches, patchSymbol } from './kamailio/index.ts';
export { BEHIND_SERVER } from './patch.ts';
export type { AffectedProduct, Patch, Place, Product, VersionRange } from './patch.ts';
export { stateOfPatch } from './state.ts';
export type { PatchChoice, PatchState, Server } from './state.ts';
export { isInRange, versionsText } from './versions.ts';
