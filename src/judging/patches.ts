import { z } from 'zod';
import type { Exploit, Request } from '../model/index.ts';
import { PATCHES, stateOfPatch } from '../protocol/index.ts';
import type { Patch, PatchState } from '../protocol/index.ts';

const BY_ID: ReadonlyMap<string, Patch> = new Map(PATCHES.map((patch) => [patch.id, patch]));

const choice = z.enum(['on', 'off', 'auto']).optional();

/** What the operator says of single patches; the others are on where the server's version is affected. */
export const patchesSetting = z
  .strictObject(Object.fromEntries(PATCHES.map(({ id }) => [id, choice])))
  .default({})
  .describe('virtual patches: on, off, or auto by the version of the server');

type PatchesSetting = z.output<typeof patchesSetting>;

/** State of a patch for a Kamailio of that version; empty when the version is not known. */
export const patchStateOf = (patch: Patch, version: string, setting: PatchesSetting): PatchState =>
  stateOfPatch(patch, { product: 'kamailio', version }, setting[patch.id]);

/** The first patch that a request fits and that is on for its server. */
export const createExploitOf =
  (setting: PatchesSetting, versionOf: (node: string) => string): ((request: Request) => Exploit | undefined) =>
  ({ exploits, node }) => {
    if (exploits === undefined || exploits.length === 0) return undefined;
    const version = versionOf(node);
    return exploits.find(({ id }) => patchStateOf(BY_ID.get(id)!, version, setting).on);
  };
