import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CompanionError } from '../model/index.ts';

/** Secrets of one line, one a direction. */
export interface LineSecrets {
  readonly up: string;
  readonly down: string;
}

/** Derives both: who squats one port while its owner is away learns nothing about the other direction. */
export const lineSecrets = (secret: string): LineSecrets => {
  const half = (direction: string): string =>
    createHash('sha256').update(`${direction} ${secret}`).digest('hex').slice(0, 32);
  return { up: half('up'), down: half('down') };
};

/**
 * Writes the include file with the two secrets of a Kamailio's line (mode 0600; Kamailio's user needs a copy that it can
 * read). Left alone when it already says the same.
 * @returns the path
 * @throws CompanionError STORE_FAILED
 */
export const writeKamailioSecret = (file: string, secrets: LineSecrets): string => {
  const text = `# Secrets between Kamailio and companion. Keep this file readable by Kamailio's user only.\n#!define COMPANION_SECRET_UP ${secrets.up}\n#!define COMPANION_SECRET_DOWN ${secrets.down}\n`;
  try {
    if (readFileSync(file, 'utf8') === text) return file;
  } catch {
    // not there yet
  }
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CompanionError(
      'STORE_FAILED',
      `Cannot write ${file}, which Kamailio's configuration includes: ${why}. Make room on its disk, and let the user that runs companion write to its directory.`,
      { cause },
    );
  }
  return file;
};
