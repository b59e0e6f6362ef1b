/**
 * What is known beside the entries and must outlive a restart: the evidence that `why` shows, marks of false alarms,
 * known customers, what `tune` counts, feeds that were switched by hand. In: word that something changed. Out: memos for
 * the store, in batches, and the same memories filled again at the start. Never on the verdict path; a store that takes or
 * gives nothing costs what would have been kept, and no start.
 */
export { openKept, type OpenKept } from './open-kept.ts';
