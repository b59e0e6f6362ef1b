import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { CompanionError } from '../model/index.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';

/** For one path. */
const DEADLINE_MS = 5_000;

/** Why a path did not work, in words. */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'not there',
  ECONNREFUSED: 'left by a companion that is gone',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ETIMEDOUT: 'no answer',
  ENOTSOCK: 'not a socket',
};

const open = async (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    }, DEADLINE_MS);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });

/**
 * Connects to the first path that answers.
 * @throws CompanionError SERVICE_UNREACHABLE naming every path that was tried and why it failed
 */
export const connectClient = async (paths: readonly string[]): Promise<Client> => {
  const tried: string[] = [];
  let denied = false;
  for (const path of paths) {
    try {
      return createClient(await open(path), path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      denied ||= code === 'EACCES' || code === 'EPERM';
      tried.push(`${path} (${WHY[code] ?? code})`);
    }
  }
  const advice = denied
    ? 'This user may not speak to it: run the command with sudo, or as a member of the group that owns the socket.'
    : "Start it with 'companion run', or name its socket with --socket PATH or COMPANION_SOCKET.";
  throw new CompanionError('SERVICE_UNREACHABLE', `No companion answers. Tried: ${tried.join(', ')}. ${advice}`);
};
