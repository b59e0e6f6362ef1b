import type { Condition } from './conditions/index.ts';

export type Product = 'kamailio' | 'opensips' | 'asterisk' | 'freeswitch' | 'sngrep' | 'linux';

/** Versions from `from` (from the first when left out) to before `fixed`, or to the last known bad one, `last`. */
export interface VersionRange {
  readonly from?: string;
  readonly fixed?: string;
  readonly last?: string;
}

export interface AffectedProduct {
  readonly product: Product;
  /** As the advisory declares it; `unknown` when it does not. */
  readonly affected: readonly VersionRange[] | 'unknown';
}

/** Software that may stand behind a Kamailio, or watch it. */
export const BEHIND_SERVER = [
  'opensips',
  'asterisk',
  'freeswitch',
  'sngrep',
  'linux',
] as const satisfies readonly Product[];

/** Where a patch protects: before the server's parser, when the server asks us, or in a proxy of ours in front of it. */
export type Place = 'pre-parse' | 'hook' | 'proxy';

/** A structural rule that stops the messages which a known bug of some software needs. */
export interface Patch {
  /** CVE, or the identity of the report where there is none. */
  readonly id: string;
  /** What happens to the software, as a short sentence. */
  readonly title: string;
  /** Where it is told: names and numbers of advisories. */
  readonly advisory: string;
  readonly products: readonly AffectedProduct[];
  readonly acts: readonly Place[];
  /** What such a message looks like. */
  readonly condition: Condition;
  /** It also stops messages that are legal, or that honest senders are known for: which ones. Then the operator's word that the software is there is not enough. */
  readonly stopsLegal?: string;
  /** It is on only when the operator says so: why. */
  readonly byHand?: string;
}
