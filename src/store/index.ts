/**
 * What survives a restart: entries, ban history, the ladder and the audit trail, in one SQLite file.
 * Changes and audit lines come in from app, fire and forget; entries, history and counters go out.
 * SQLite lives in a worker thread. Must never block or throw into the verdict path, and never lose what it was told while
 * the process lives: a full disk or a dead worker is counted and tried again.
 */
export { openRecords, type RecordsOptions, type StoreLog } from './records.ts';
export { DEFAULT_RETENTION, type Retention } from './messages.ts';
