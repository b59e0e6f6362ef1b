import Database from 'better-sqlite3';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHa1 } from '../phone/index.ts';
import { LabError } from '../problem.ts';

/** Kamailio's own tables, from Debian's kamailio-sqlite-modules. */
const SCHEMA_DIRECTORY = '/usr/share/kamailio/db_sqlite';
const SCHEMAS = ['standard', 'auth_db', 'usrloc'];

export interface LabUser {
  readonly name: string;
  readonly password: string;
}

/**
 * `alice:secret,bob:secret`. A password may hold colons, not commas.
 * @throws LabError
 */
export const parseUsers = (text: string): readonly LabUser[] => {
  const users = text
    .split(',')
    .filter((part) => part !== '')
    .map((part): LabUser => {
      const colon = part.indexOf(':');
      if (colon < 1)
        throw new LabError(
          `--users: '${part.slice(0, 40)}' is not name:password. Write for example alice:secret,bob:secret.`,
        );
      return { name: part.slice(0, colon), password: part.slice(colon + 1) };
    });
  if (new Set(users.map(({ name }) => name)).size !== users.length) throw new LabError('--users names somebody twice.');
  return users;
};

/**
 * Makes the database that Kamailio reads: its tables, and the subscribers with hashed passwords only.
 * @throws LabError when Kamailio's schema files are not installed
 */
export const createSubscriberDatabase = (file: string, realm: string, users: readonly LabUser[]): void => {
  const schemas = SCHEMAS.map((name) => join(SCHEMA_DIRECTORY, `${name}-create.sql`));
  const missing = schemas.find((schema) => !existsSync(schema));
  if (missing !== undefined)
    throw new LabError(
      `Kamailio's sqlite module is not installed (${missing} is missing). Run 'npm run setup' as root.`,
    );
  const database = new Database(file);
  try {
    // kept by the file: without it, every authentication fails while usrloc writes its bindings back
    database.pragma('journal_mode = WAL');
    for (const schema of schemas) database.exec(readFileSync(schema, 'utf8'));
    const insert = database.prepare('INSERT INTO subscriber (username, domain, ha1) VALUES (?, ?, ?)');
    database.transaction(() => {
      for (const { name, password } of users) insert.run(name, realm, digestHa1(name, realm, password));
    })();
  } finally {
    database.close();
  }
};
