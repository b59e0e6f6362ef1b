/**
 * What operators do and what decisions lead to. In: changes from the judge, requests from the admin room. Out: the
 * ledger, the lists, the enforcers, the database, the log and the live feed, all told the same thing in the same order.
 * Runs after the answer went out; never on the verdict path, never awaits anything there.
 */
export { createProxyAlarm } from './advice/behind-a-proxy.ts';
export { createDoubtAlarm } from './advice/doubt-alarm.ts';
export { Peaks } from './advice/peaks.ts';
export { createTune } from './advice/tune.ts';
export { createAdoption, type Adoption } from './adopt.ts';
export { createBookkeeping, type Book, type Bookkeeping } from './bookkeeping.ts';
export { createEffects, type Effects } from './effects.ts';
export { createAlarms, type Alarms } from './insight/alarms.ts';
export { createCounts } from './insight/counts.ts';
export { createLastAgents } from './insight/last-agents.ts';
export { createLastShapes } from './insight/last-shapes.ts';
export { createRecentUse } from './insight/recent-use.ts';
export { createSamples } from './insight/samples.ts';
export { createNotices } from './insight/notices.ts';
export type { BackgroundOf } from './insight/places.ts';
export { createStatus } from './insight/status.ts';
export { createTraces } from './insight/traces.ts';
export { keepVigil } from './insight/vigil.ts';
export { openKept } from './kept/index.ts';
export { AddressLists } from './lists/address-lists.ts';
export { applyConfiguredLists, isChecked } from './lists/configured-lists.ts';
export { createAuthoredLists } from './lists/push-slowly.ts';
export { createLiveDetectors } from './live-detectors.ts';
export { createPushedListings, type PushedListings } from './pushed-listings.ts';
export { createReloading } from './reloading.ts';
export { restoreMemory } from './restore-memory.ts';
export { createOperations, type OperationsParts } from './operations.ts';
