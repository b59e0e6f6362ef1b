/**
 * What operators do and what decisions lead to. In: changes from the judge, requests from the admin room. Out: the
 * ledger, the lists, the enforcers, the database, the log and the live feed, all told the same thing in the same order.
 * Runs after the answer went out; never on the verdict path, never awaits anything there.
 */
export { createAdoption, type Adoption } from './adopt.ts';
export { createEffects, type Effects } from './effects.ts';
export { AddressLists } from './address-lists.ts';
export { createOperations, type OperationsParts } from './operations.ts';
export { createStatus } from './status.ts';
export { keepVigil } from './vigil.ts';
