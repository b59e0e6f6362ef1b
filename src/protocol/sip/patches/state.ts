import type { Patch, Product } from './patch.ts';
import { isInRange, isVersion, versionsText } from './versions.ts';

/** What an operator wants of a patch. */
export type PatchChoice = 'on' | 'off' | 'auto';

export interface PatchState {
  readonly on: boolean;
  /** One short sentence. */
  readonly why: string;
}

/** Version of the server that a message is for, where it is known. */
export interface Server {
  readonly product: Product;
  /** Empty when it did not say yet. */
  readonly version: string;
}

/** The server that companion protects is one of these, and then not another; what stands behind it may be anything. */
const SERVERS: ReadonlySet<Product> = new Set(['kamailio', 'opensips']);

/**
 * Whether a patch is on for one server. By itself it is on where the software is known to be affected, and, when no
 * legal message is hurt, where its version is not known: what stands behind a server never tells us.
 */
export const stateOfPatch = (patch: Patch, server: Server | undefined, choice: PatchChoice = 'auto'): PatchState => {
  if (choice !== 'auto') return { on: choice === 'on', why: `${choice} in the configuration` };
  if (patch.byHand !== undefined) return { on: false, why: patch.byHand };
  const unknown: Product[] = [];
  const sound: string[] = [];
  for (const { product, affected } of patch.products) {
    if (server !== undefined && server.product !== product && SERVERS.has(product))
      sound.push(`the server is ${server.product}`);
    else if (server?.product !== product || !isVersion(server.version)) unknown.push(product);
    else {
      const named = `${product} ${server.version.slice(0, 40)}`;
      if (affected === 'unknown') unknown.push(product);
      else if (affected.some((range) => isInRange(server.version, range)))
        return { on: true, why: `${named} is affected (${versionsText(affected)})` };
      else sound.push(`${named} is not affected`);
    }
  }
  if (unknown.length === 0) return { on: false, why: sound.join(', ') };
  return patch.stopsLegal === undefined
    ? { on: true, why: `the version of ${unknown.join(', ')} is not known, and nothing legal is stopped` }
    : { on: false, why: `the version of ${unknown.join(', ')} is not known, and it also stops ${patch.stopsLegal}` };
};
