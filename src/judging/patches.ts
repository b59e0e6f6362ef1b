import { z } from 'zod';
import type { FittingExploit, Request } from '../model/index.ts';
import { BEHIND_SERVER, PATCHES, patchSymbol, stateOfPatch } from '../protocol/index.ts';
import type { Patch, PatchState } from '../protocol/index.ts';

const BY_ID: ReadonlyMap<string, Patch> = new Map(PATCHES.map((patch) => [patch.id, patch]));

const choice = z.enum(['on', 'off', 'auto']).optional();

/** What the operator says of single patches, and of software behind the server; the others are on where the server's version is affected. */
export const patchesSetting = z
  .strictObject(Object.fromEntries([...PATCHES.map(({ id }) => id), ...BEHIND_SERVER].map((name) => [name, choice])))
  .default({})
  .describe(
    `virtual patches: on, off, or auto by the version of the server; and whether ${BEHIND_SERVER.join(', ')} stand behind it`,
  );

type PatchesSetting = z.output<typeof patchesSetting>;

/** State of a patch for a Kamailio of that version; empty when the version is not known. */
export const patchStateOf = (patch: Patch, version: string, setting: PatchesSetting): PatchState => {
  const state = stateOfPatch(
    patch,
    { product: 'kamailio', version },
    setting[patch.id],
    (product) => setting[product] ?? 'auto',
  );
  if (patch.acts.includes('hook')) return state;
  const elsewhere = `acts before the parser only: COMPANION_PATCH_${patchSymbol(patch)} in Kamailio`;
  return { ...state, accuses: false, why: state.on ? `${state.why}; ${elsewhere}` : state.why };
};

/**
 * The first patch that a request fits and that is on for its server; without one, the first that accuses. Those that do
 * not act on the hook are left to Kamailio: what they stop has passed its parser by the time we are asked.
 */
export const createExploitOf =
  (setting: PatchesSetting, versionOf: (node: string) => string): ((request: Request) => FittingExploit | undefined) =>
  ({ exploits, node }) => {
    if (exploits === undefined || exploits.length === 0) return undefined;
    const version = versionOf(node);
    let suspect: FittingExploit | undefined;
    for (const exploit of exploits) {
      const patch = BY_ID.get(exploit.id)!;
      if (!patch.acts.includes('hook')) continue;
      const { on, accuses } = patchStateOf(patch, version, setting);
      if (on) return { ...exploit, stopped: true };
      if (accuses) suspect ??= { ...exploit, stopped: false };
    }
    return suspect;
  };
