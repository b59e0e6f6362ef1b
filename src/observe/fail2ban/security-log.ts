import { closeSync, openSync } from 'node:fs';
import { destination } from 'pino';
import { CompanionError } from '../../model/index.ts';
import type { DecisionEvent } from '../../model/index.ts';
import type { Log } from '../log.ts';
import { securityLine } from './security-line.ts';

/** What may wait for a disk that is slow; then lines are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface SecurityLog {
  take(event: DecisionEvent): void;
  /** Opens the file again: it was rotated. */
  reopen(): void;
  /** Lines that were not written. */
  readonly dropped: number;
  close(): void;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Decisions as lines for fail2ban, in a file or on standard output.
 * @throws CompanionError CONFIG_INVALID when the file cannot be written
 * @param to `off`, `stdout`, or the path of a file, which is made or added to
 */
export const openSecurityLog = (to: string, pid: number, log: Log): SecurityLog => {
  if (to === 'off') return { dropped: 0, take: () => {}, reopen: () => {}, close: () => {} };
  try {
    closeSync(openSync(to === 'stdout' ? '/dev/null' : to, 'a', 0o640));
  } catch (error) {
    throw new CompanionError('CONFIG_INVALID', `Cannot write the file ${to} (log.security): ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const options = { append: true, mkdir: false, sync: false, maxLength: MAX_WAITING_BYTES, mode: 0o640 } as const;
  const file = destination({ ...options, dest: to === 'stdout' ? 1 : to });
  let dropped = 0;
  let failing = false;
  file.on('error', (error: Error) => {
    if (!failing) log.error({ event: 'security-log', file: to, problem: error.message }, 'decisions are not written');
    failing = true;
  });
  file.on('drop', () => {
    dropped += 1;
  });
  file.on('write', () => {
    failing = false;
  });
  return {
    get dropped() {
      return dropped;
    },
    take(event) {
      if (event.change === 'good') return;
      try {
        file.write(securityLine(event, pid));
      } catch {
        dropped += 1; // the file could not be opened again; that was told
      }
    },
    reopen() {
      if (to === 'stdout') return;
      try {
        // looked at first: after a reopening that fails, sonic-boom closes the old descriptor twice at the next one,
        // and by then its number may be a socket's or the database's
        closeSync(openSync(to, 'a', 0o640));
      } catch (error) {
        const problem = messageOf(error);
        log.error({ event: 'security-log', file: to, problem }, 'cannot be opened again: the old file is written on');
        return;
      }
      file.reopen();
    },
    close() {
      file.end();
    },
  };
};
