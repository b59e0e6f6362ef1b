import type { ProofTier } from './source.ts';

/**
 * Which attack a rule speaks of; decides the shape of the answer (see `decide/policy`). `notice` is none: something that the
 * operator should know, which weighs nothing against anybody.
 */
export type FindingFamily = 'scan' | 'guess' | 'flood' | 'tool' | 'garbage' | 'notice';

/**
 * Whom a finding accuses: the whole source, one user name at that source, or that user name at one port of it (so that
 * the same user's other phone behind the same address is not meant). A notice may be about nobody.
 */
export type Accused =
  | { readonly kind: 'source' }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly user: string; readonly port?: number | undefined };

/** Points at which a finding is enough by itself. Smaller findings of one source add up and decay. */
export const ENOUGH_POINTS = 100;

/** The strongest thing that a rule may lead to. */
export type RuleAction = 'log' | 'throttle' | 'quarantine' | 'ban';

/** What a detector says about one request or outcome. */
export interface Finding {
  /** Stable rule name, e.g. `enumeration.distinct`, `digest.wrong-password`, `scanner.user-agent`. */
  readonly rule: string;
  readonly family: FindingFamily;
  readonly accused: Accused;
  /** The weakest proof among the observations that it rests on. */
  readonly tier: ProofTier;
  /** 1 … ENOUGH_POINTS. */
  readonly points: number;
  /** One short sentence for a human, with figures. May quote attacker's text: bounded to 200 characters, escaped where shown. */
  readonly evidence: string;
  /** Of a notice: what it told of is over. */
  readonly ends?: boolean | undefined;
  /** What the operator lets its rule lead to at most; left out: what proof and family lead to. */
  readonly most?: RuleAction | undefined;
  /** Its rule is rehearsed: weighed apart from what is enforced. */
  readonly shadow?: boolean | undefined;
}
