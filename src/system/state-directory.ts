import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { CompanionError } from '../model/index.ts';

export interface StateDirectoryChoice {
  /** From the configuration or the command line; wins over everything. */
  readonly explicit?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Numeric user id; 0 is root. */
  readonly uid: number;
  readonly home: string;
}

/** Only the service's own user may look in: the database names users and addresses. */
const DIRECTORY_MODE = 0o700;
const WRITABLE_BY_ALL = 0o002;

/** What this process would choose from. */
export const processChoice = (explicit?: string): StateDirectoryChoice => ({
  explicit,
  env: process.env,
  uid: process.getuid?.() ?? -1,
  home: homedir(),
});

/**
 * Where the state lives: the explicit path, else $STATE_DIRECTORY (systemd; the first when it lists several), else
 * /var/lib/companion for root, else $XDG_STATE_HOME/companion or ~/.local/state/companion. Relative XDG paths are
 * ignored, as their specification asks.
 */
export const chooseStateDirectory = (choice: StateDirectoryChoice): string => {
  const { explicit, env, uid, home } = choice;
  if (explicit !== undefined && explicit !== '') return resolve(explicit);
  const fromSystemd = env['STATE_DIRECTORY']?.split(':').find((path) => isAbsolute(path));
  if (fromSystemd !== undefined) return fromSystemd;
  if (uid === 0) return '/var/lib/companion';
  const xdg = env['XDG_STATE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'companion');
  return join(home, '.local', 'state', 'companion');
};

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
