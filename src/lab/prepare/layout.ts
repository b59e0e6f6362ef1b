import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from '../problem.ts';

/** Root of this installation, seen from `src` as from `dist`. */
const ROOT = new URL('../../../', import.meta.url);

/** The example configuration that is tried. */
export const EXAMPLE_CONFIG = fileURLToPath(new URL('kamailio/kamailio.cfg', ROOT));

/** Companion's entry: TypeScript beside TypeScript, the built one beside the built lab. */
export const COMPANION_ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? 'src/main.ts' : 'dist/main.js', ROOT),
);

/** Where Debian puts daemons; not on every user's PATH. */
const DAEMON_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * @returns the path of an installed program
 * @throws LabError naming the command that installs it
 */
export const findProgram = (name: string): string => {
  for (const directory of [...(process.env['PATH'] ?? '').split(delimiter), ...DAEMON_DIRECTORIES]) {
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  throw new LabError(
    `${name} is not installed. Run 'npm run setup' as root, which installs it from Debian without starting anything.`,
  );
};

/** Everything of one lab is in one directory that only this user may enter. */
export interface Layout {
  readonly directory: string;
  /** Companion's state directory. */
  readonly state: string;
  /** Written by companion at its start, included by Kamailio. */
  readonly secrets: string;
  readonly socket: string;
  /** Companion's configuration. */
  readonly config: string;
  readonly kamailioConfig: string;
  readonly kamailioRun: string;
  readonly database: string;
  readonly logs: { readonly companion: string; readonly kamailio: string };
}

export const createLayout = (): Layout => {
  const directory = mkdtempSync(join(tmpdir(), 'companion-lab-'));
  const kamailioRun = join(directory, 'run');
  mkdirSync(kamailioRun, { mode: 0o700 });
  return {
    directory,
    state: join(directory, 'state'),
    secrets: join(directory, 'state', 'kamailio-secret.cfg'),
    socket: join(directory, 'companion.sock'),
    config: join(directory, 'companion.yaml'),
    kamailioConfig: join(directory, 'lab.cfg'),
    kamailioRun,
    database: join(directory, 'kamailio.sqlite'),
    logs: { companion: join(directory, 'companion.log'), kamailio: join(directory, 'kamailio.log') },
  };
};
