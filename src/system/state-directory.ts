import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { CompanionError } from '../model/index.ts';

/** Only the service's own user may look in: the database names users and addresses. */
const DIRECTORY_MODE = 0o700;
const WRITABLE_BY_ALL = 0o002;

/**
 * Makes the directory (mode 0700, parents too) or checks the one that is there. An existing directory keeps its mode: a
 * slip like `/tmp` must not become 0700. One that everybody may write to is refused, since anyone could plant a database.
 * @returns the same path
 * @throws CompanionError STORE_FAILED
 */
export const makeStateDirectory = (path: string): string => {
  const refuse = (problem: string, cause?: unknown): CompanionError =>
    new CompanionError(
      'STORE_FAILED',
      `Cannot use the state directory ${path}: ${problem}. Name another one, or create it for the user that runs companion (mode 0700).`,
      { cause },
    );
  try {
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
  const stat = statSync(path);
  if ((stat.mode & WRITABLE_BY_ALL) !== 0) throw refuse('everybody on this machine may write to it');
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refuse('this user may not write to it', error);
  }
  return path;
};
