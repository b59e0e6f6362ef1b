/** How much a broken rule matters: critical ones make two readers see two messages, or no SIP at all. */
export type Severity = 'critical' | 'high' | 'medium';

/** How strictly messages are held to the standard; an operator's choice. */
export type ValidationMode = 'permissive' | 'strict' | 'paranoid';

/** What follows from a broken rule: nothing, a counter, evidence against the source, or this message refused as well. */
export type ValidationAction = 'off' | 'log' | 'count' | 'reject' | 'drop';

/** One rule that a message breaks. */
export interface Violation {
  /** Stable name, e.g. `missing_via`. */
  readonly rule: string;
  readonly severity: Severity;
  /** Byte of the message at which it was seen. */
  readonly offset: number;
}

/** What validation says of a message under the operator's policy. */
export interface Validity {
  readonly verdict: 'accept' | 'reject' | 'drop';
  /** Status with which a server would refuse it; null when it is accepted or dropped. */
  readonly code: number | null;
  /** The broken rules that the policy does not switch off, each with what follows from it. */
  readonly hits: readonly (Violation & { readonly action: ValidationAction })[];
}
