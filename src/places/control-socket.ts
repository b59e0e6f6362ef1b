import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

export interface SocketSearch {
  /** From `--socket`. */
  readonly explicit?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Last resort; see `chooseStateDirectory`. */
  readonly stateDirectory: string;
}

const SOCKET_NAME = 'companion.sock';

/**
 * Where the control socket may be, in order: $RUNTIME_DIRECTORY (systemd; the first when it lists several),
 * /run/companion, $XDG_RUNTIME_DIR/companion, the state directory. The service binds the first that it can, the CLI
 * takes the first that is there.
 * A path named by `--socket` or COMPANION_SOCKET is the only one: falling through could ban on somebody else's server.
 */
export const controlSocketPaths = (search: SocketSearch): readonly string[] => {
  const named = search.explicit || search.env['COMPANION_SOCKET'];
  if (named !== undefined && named !== '') return [named];
  const paths: string[] = [];
  const fromSystemd = search.env['RUNTIME_DIRECTORY']?.split(':').find((path) => isAbsolute(path));
  if (fromSystemd !== undefined) paths.push(join(fromSystemd, SOCKET_NAME));
  paths.push(join('/run/companion', SOCKET_NAME));
  const xdg = search.env['XDG_RUNTIME_DIR'];
  if (xdg !== undefined && isAbsolute(xdg)) paths.push(join(xdg, 'companion', SOCKET_NAME));
  paths.push(join(search.stateDirectory, SOCKET_NAME));
  return [...new Set(paths)];
};

const isSocket = (path: string): boolean => {
  try {
    return statSync(path).isSocket();
  } catch {
    return false; // Not there, or in a directory that this user may not enter: either way it is not the one.
  }
};

/** The first path at which a socket exists (nobody need be listening on it). */
export const findControlSocket = (
  paths: readonly string[],
  exists: (path: string) => boolean = isSocket,
): string | undefined => paths.find((path) => exists(path));
