import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { CompanionError } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import type { TokenShelf } from '../routes/index.ts';

/** More than an installation has uses for; each wrong token is compared with all of them. */
const MAX_TOKENS = 100;
const MAX_FILE_BYTES = 64 * 1024;
const TOKEN_BYTES = 32;
const OTHERS = 0o077;

const fileSchema = z.strictObject({
  tokens: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(63),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        scopes: z.array(z.enum(['read', 'operate', 'hook'])),
        since: z.number(),
      }),
    )
    .max(MAX_TOKENS),
});

/** A token as it is stored: what it opens, never the token itself. */
export type StoredToken = z.output<typeof fileSchema>['tokens'][number];

export interface TokenStore extends TokenShelf {
  /** For the gate, on each request. */
  stored(): readonly StoredToken[];
}

/** Fast is right here: a token is 256 random bits, nobody can try them out. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest();

/** A token that is not in the file, for the hook only. */
export const hookToken = (name: string, token: string): StoredToken => ({
  name,
  sha256: tokenHash(token).toString('hex'),
  scopes: ['hook'],
  since: 0,
});

const refuse = (file: string, problem: string, next: string, cause?: unknown): CompanionError =>
  new CompanionError('STORE_FAILED', `Cannot use the token file ${file}: ${problem}. ${next}`, { cause });

const read = (file: string): readonly StoredToken[] => {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw refuse(file, error instanceof Error ? error.message : String(error), 'Let the user of the service read it.');
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw refuse(file, 'it is not a regular file', 'Move it away.');
    if ((stat.mode & OTHERS) !== 0)
      throw refuse(file, 'other users may read or write it', `Run 'chmod 600 ${file}' and look at what is in it.`);
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    const length = readSync(handle, bytes, 0, bytes.length, 0);
    if (length > MAX_FILE_BYTES) throw refuse(file, `it has more than ${MAX_FILE_BYTES} bytes`, 'Move it away.');
    return fileSchema.parse(JSON.parse(bytes.toString('utf8', 0, length))).tokens;
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    const next = 'Restore it, or move it away and make new tokens with: companion token add NAME.';
    throw refuse(file, 'it is damaged', next, error);
  } finally {
    closeSync(handle);
  }
};

/** Beside the target and renamed into place: whole or not at all. */
const write = (file: string, tokens: readonly StoredToken[]): void => {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = openSync(draft, 'wx', 0o600);
    try {
      writeSync(handle, `${JSON.stringify({ tokens }, null, 2)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    const problem = error instanceof Error ? error.message : String(error);
    throw refuse(file, problem, 'Nothing was changed.', error);
  }
};

/**
 * Tokens of this installation, in a file of mode 0600 that holds their SHA-256.
 * @throws CompanionError STORE_FAILED when the file is there and cannot be trusted
 */
export const openTokenFile = (file: string, clock: Clock): TokenStore => {
  let tokens = read(file);
  const keep = (next: readonly StoredToken[]): void => {
    write(file, next);
    tokens = next;
  };
  return {
    stored: () => tokens,
    list: () => tokens.map(({ name, scopes, since }) => ({ name, scopes, since })),
    add(name, scopes) {
      if (tokens.some((token) => token.name === name))
        throw new CompanionError('REQUEST_INVALID', `There is a token '${name}' already. Remove it first.`);
      if (tokens.length >= MAX_TOKENS)
        throw new CompanionError('REQUEST_INVALID', `There are ${MAX_TOKENS} tokens already. Remove one first.`);
      const token = randomBytes(TOKEN_BYTES).toString('hex');
      const sha256 = tokenHash(token).toString('hex');
      keep([...tokens, { name, sha256, scopes: [...new Set(scopes)], since: clock.now() }]);
      return { name, token };
    },
    remove(name) {
      if (!tokens.some((token) => token.name === name))
        throw new CompanionError('NOT_FOUND', `There is no token '${name}'. 'companion token list' shows them.`);
      keep(tokens.filter((token) => token.name !== name));
      return { removed: [name] };
    },
  };
};
