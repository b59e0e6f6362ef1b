import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { CompanionError } from '../../model/index.ts';

/** The owner and the group of the service may speak to it, nobody else: whoever can write here can lift bans. */
const SOCKET_MODE = 0o660;
const DIRECTORY_MODE = 0o750;

/** A living companion accepts at once. */
const PROBE_DEADLINE_MS = 1_000;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const cannot = (path: string, why: string, cause?: unknown): CompanionError =>
  new CompanionError('PORT_IN_USE', `Cannot open the control socket ${path}: ${why}`, { cause });

type Liveness = 'alive' | 'stale' | 'unknown';

const probe = async (path: string): Promise<Liveness> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const done = (liveness: Liveness): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(liveness);
    };
    const timer = setTimeout(done, PROBE_DEADLINE_MS, 'alive');
    socket.on('connect', () => {
      done('alive');
    });
    socket.on('error', (error) => {
      const code = codeOf(error);
      done(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'stale' : code === 'EAGAIN' ? 'alive' : 'unknown');
    });
  });

/** Removes what a crashed companion left at the path; refuses to remove anything else. @throws PORT_IN_USE */
const clearStale = async (path: string): Promise<void> => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw cannot(
      path,
      'a file that is not a socket is in the way. Remove it, or set another path with socket: in the configuration.',
    );
  const liveness = await probe(path);
  if (liveness === 'alive')
    throw cannot(
      path,
      'another companion is running there. Stop it first, or set another path with socket: in the configuration.',
    );
  if (liveness === 'unknown')
    throw cannot(
      path,
      'a socket of somebody else is in the way. Remove it, or set another path with socket: in the configuration.',
    );
  unlinkSync(path);
};

/**
 * Binds the server to the path: makes the directory (0750) if it is missing, replaces a stale socket file, and
 * creates the new one with mode 0660 from its first moment.
 * @throws CompanionError PORT_IN_USE
 */
export const bindSocketFile = async (server: Server, path: string): Promise<void> => {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    await clearStale(path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        resolve();
      });
      // Node binds within listen(), so the umask is back before anything else can run.
      const umask = process.umask(0o777 & ~SOCKET_MODE);
      try {
        server.listen(path);
      } finally {
        process.umask(umask);
      }
    });
    chmodSync(path, SOCKET_MODE);
  } catch (error) {
    if (error instanceof CompanionError) throw error;
    const code = codeOf(error);
    const why =
      code === 'EACCES' || code === 'EPERM'
        ? 'permission denied. Run as root or as the user of the service, or set another path with socket: in the configuration.'
        : code === 'EADDRINUSE'
          ? 'another companion took it at this moment.'
          : `${code}.`;
    throw cannot(path, why, error);
  }
};
