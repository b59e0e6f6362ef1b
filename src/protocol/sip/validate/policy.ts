import type { ValidationAction, ValidationMode, Validity, Violation } from '../../../model/index.ts';
import { VALIDATION_RULES } from './catalogue.ts';

/** What an operator decides about validation. */
export interface ValidationPolicy {
  readonly mode: ValidationMode;
  readonly disabled_rules: readonly string[];
  /** Own action of single rules, in place of the mode's. */
  readonly rules: Readonly<Record<string, ValidationAction | undefined>>;
}

const ACCEPTED: Validity = { verdict: 'accept', code: null, hits: [] };

interface Standing {
  /** False for what nobody can be answered with a status: a reply, ACK, or what is no SIP. */
  readonly answerable: boolean;
}

const actionsOf = (policy: ValidationPolicy): ReadonlyMap<string, ValidationAction> =>
  new Map(
    [...VALIDATION_RULES.values()].map(({ name, actions }) => [
      name,
      policy.disabled_rules.includes(name) ? 'off' : (policy.rules[name] ?? actions[policy.mode]),
    ]),
  );

/**
 * Compiles a policy: from the rules that a message breaks to its verdict. One rule that refuses is enough; the first of
 * them gives the status. What cannot be answered is dropped.
 */
export const createValidity = (
  policy: ValidationPolicy,
): ((violations: readonly Violation[], standing: Standing) => Validity) => {
  const actions = actionsOf(policy);
  return (violations, { answerable }) => {
    if (violations.length === 0) return ACCEPTED;
    const hits = violations
      .map((violation) => ({ ...violation, action: actions.get(violation.rule) ?? ('log' as const) }))
      .filter(({ action }) => action !== 'off');
    const refused = hits.find(({ action }) => action === 'reject' || action === 'drop');
    if (refused === undefined) return { verdict: 'accept', code: null, hits };
    const drops = !answerable || hits.some(({ action }) => action === 'drop');
    if (drops) return { verdict: 'drop', code: null, hits };
    return { verdict: 'reject', code: VALIDATION_RULES.get(refused.rule)?.code ?? 400, hits };
  };
};
