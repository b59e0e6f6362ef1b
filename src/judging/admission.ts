import type { Judge } from '../decide/index.ts';
import type { Outcome, Request, Verdict } from '../model/index.ts';

/**
 * `allowlist_only` of a node: whoever is not on the allow list, a peer, known-good or in a call gets no answer there. What a
 * stranger does is judged all the same. A new phone is let in by its address on the allow list, and known-good from then on.
 */
export const createAdmission = (
  nodes: readonly { readonly name: string; readonly allowlist_only: boolean }[],
  { ledger }: Pick<Judge, 'ledger'>,
): ((event: Request | Outcome, verdict: Verdict) => Verdict) => {
  const closed = new Set(nodes.flatMap(({ name, allowlist_only }) => (allowlist_only ? [name] : [])));
  if (closed.size === 0) return (_event, verdict) => verdict;
  return (event, verdict) => {
    if (event.kind !== 'request' || !closed.has(event.node) || verdict.answer === 'drop') return verdict;
    const known = verdict.state === 'allowed' || verdict.state === 'good' || ledger.hasGood(event.source.identity);
    const stands = event.standing === 'good' || event.standing === 'in-dialog';
    return known || stands ? verdict : { ...verdict, answer: 'drop', reason: 'not on the allow list (allowlist_only)' };
  };
};
