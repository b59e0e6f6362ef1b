import type { Patch, Product } from './patch.ts';
import { isInRange, isVersion, versionsText } from './versions.ts';

/** What an operator wants of a patch, or says of software behind the server: `on` is that it is there. */
export type PatchChoice = 'on' | 'off' | 'auto';

export interface PatchState {
  /** What fits is stopped. */
  readonly on: boolean;
  /** The sender of what fits is accused, whether it is stopped or not. */
  readonly accuses: boolean;
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
 * Whether a patch is on for one server. By itself it is on only where the software is known to be affected: a server that
 * did not tell its version yet may be sound, and what stands behind one may not be there at all. Dropping on suspicion
 * would cost customers their calls; what fits a patch of software behind the server is evidence against its sender.
 * @param said what the operator says of software behind the server
 */
export const stateOfPatch = (
  patch: Patch,
  server: Server | undefined,
  choice: PatchChoice = 'auto',
  said: (product: Product) => PatchChoice = () => 'auto',
): PatchState => {
  if (choice !== 'auto')
    return { on: choice === 'on', accuses: choice === 'on', why: `${choice} in the configuration` };
  if (patch.byHand !== undefined) return { on: false, accuses: false, why: patch.byHand };
  const why: string[] = [];
  let accuses = false;
  for (const { product, affected } of patch.products) {
    const word = server?.product === product ? 'auto' : said(product);
    if (word === 'off') why.push(`${product} is off in the configuration`);
    else if (word === 'on') {
      if (patch.stopsLegal === undefined)
        return { on: true, accuses: true, why: `${product} is on in the configuration` };
      why.push(`${product} is on in the configuration, but it also stops ${patch.stopsLegal}`);
      accuses = true;
    } else if (server?.product === product) {
      const named = `${product} ${server.version.slice(0, 40)}`;
      if (!isVersion(server.version)) why.push(`the version of ${product} is not known`);
      else if (affected === 'unknown') why.push(`which versions of ${product} are affected is not known`);
      else if (affected.some((range) => isInRange(server.version, range)))
        return { on: true, accuses: true, why: `${named} is affected (${versionsText(affected)})` };
      else why.push(`${named} is not affected`);
    } else if (SERVERS.has(product))
      why.push(server === undefined ? 'the server is not known' : `the server is ${server.product}`);
    else {
      why.push(`nobody said that there is ${product}`);
      accuses = true;
    }
  }
  return { on: false, accuses, why: why.join(', ') };
};
