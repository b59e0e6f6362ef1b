import type { Database } from 'better-sqlite3';
import { CompanionError } from '../../model/index.ts';

/**
 * One step per version; never edit a step that was released, add one. Times are milliseconds since 1970.
 *
 * entries: what is enforced now, one row per `entryKey`. `body` is the entry as JSON without its evidence.
 * bans: history, one row a ban; `lifted_at` is set when it was removed, for whatever reason.
 * ladder: the last rung of a source, kept after its ban has ended.
 * memos: what is known beside the entries, see `Memo`; of use to whoever asks, and nothing is enforced by it.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE entries (
    key TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, until INTEGER, body TEXT NOT NULL, evidence TEXT
  );
  CREATE INDEX entries_until ON entries (until) WHERE until IS NOT NULL;

  CREATE TABLE bans (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, level INTEGER NOT NULL,
    origin TEXT NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL, evidence TEXT NOT NULL,
    lifted_at INTEGER, lifted_why TEXT,
    UNIQUE (subject, since)
  );
  CREATE INDEX bans_ended ON bans (coalesce(lifted_at, until));

  CREATE TABLE ladder (subject TEXT NOT NULL PRIMARY KEY, level INTEGER NOT NULL, last_until INTEGER NOT NULL);
  CREATE INDEX ladder_last_until ON ladder (last_until);

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL
  );
  CREATE INDEX audit_subject ON audit (subject, id);
  CREATE INDEX audit_at ON audit (at);
  `,
  `
  CREATE TABLE memos (
    kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  );
  CREATE INDEX memos_at ON memos (kind, at);
  CREATE INDEX memos_until ON memos (until);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Tables with what they are keyed by, in the order in which they matter when a file is rescued. */
export const TABLES = {
  entries: ['key', 'kind', 'subject', 'until', 'body', 'evidence'],
  ladder: ['subject', 'level', 'last_until'],
  bans: ['subject', 'since', 'until', 'level', 'origin', 'reason', 'rules', 'evidence', 'lifted_at', 'lifted_why'],
  memos: ['kind', 'key', 'at', 'until', 'body'],
  audit: ['id', 'at', 'actor', 'action', 'subject', 'detail'],
} as const;

/**
 * Brings the database to this version, in one transaction.
 * @throws CompanionError STORE_FAILED when a newer companion made it; writing into that would damage it
 */
export const migrate = (db: Database, file: string): void => {
  const versionOf = (): number => db.pragma('user_version', { simple: true }) as number;
  if (versionOf() > SCHEMA_VERSION) {
    throw new CompanionError(
      'STORE_FAILED',
      `The database ${file} was made by a newer companion (schema ${versionOf()}, this one knows ${SCHEMA_VERSION}). Install that version again, or name another state directory.`,
    );
  }
  // nothing is written where nothing is to be done: the disk may be full
  if (versionOf() === SCHEMA_VERSION) return;
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(versionOf())) db.exec(step);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
};
