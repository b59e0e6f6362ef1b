import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface StateDirectoryChoice {
  /** From the configuration or the command line; wins over everything. */
  readonly explicit?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Numeric user id; 0 is root. */
  readonly uid: number;
  readonly home: string;
}

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
