import type { Facts, Request } from '../../model/index.ts';

/** Sources that nobody accuses: the operator's allow list, and the SIP server itself. */
export const isExempt = (facts: Facts): boolean => facts.list === 'allow' || facts.own;

/** Requests of somebody who authenticated: the server took the source for known-good, or the dialog was verified. */
export const isCustomer = (request: Request): boolean =>
  request.standing === 'good' || request.standing === 'in-dialog';

/** As isCustomer, or the sender has just answered a challenge that was sent to this very address. */
export const provedItself = (request: Request): boolean => isCustomer(request) || request.credentials === 'bound';
