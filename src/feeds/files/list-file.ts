import { isHostName } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import { readRows } from '../../protocol/index.ts';
import type { FileRow } from '../../protocol/index.ts';
import { watchFile } from './watch.ts';
import type { WatchedFile } from './watch.ts';

export interface ListFile {
  readonly file: string;
  readonly kind: 'allow' | 'deny';
  readonly note: string;
}

export interface ListFileParts {
  readonly clock: Clock;
  /** The rows of the file as it is now, instead of those before. @returns rows that were not taken, with their lines */
  readonly take: (
    list: ListFile,
    addresses: readonly FileRow[],
    names: readonly FileRow[],
  ) => Promise<readonly string[]>;
  readonly alarm: (list: ListFile, problem: string | undefined) => void;
  readonly pace?: WatchedFile['pace'];
}

/** More belongs into a feed of kind list, which does not keep each row in the database. */
const MAX_ROWS = 50_000;
const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** Bad rows that an alarm names. */
const MAX_NAMED = 5;

/** Keeps a list like a file: read at start and whenever it changes; what is wrong is told by its line. */
export const followListFile = (list: ListFile, parts: ListFileParts): ReturnType<typeof watchFile> => {
  const changed = async (text: string): Promise<void> => {
    const { rows, problems } = readRows(text, parts.clock.now());
    if (rows.length > MAX_ROWS) {
      parts.alarm(
        list,
        `has ${rows.length} rows, at most ${MAX_ROWS} are taken: make it a feed. What was read before goes on`,
      );
      return;
    }
    const names = rows.filter(({ subject }) => isHostName(subject));
    const addresses = rows.filter(({ subject }) => !isHostName(subject));
    const bad = [
      ...problems.map(({ line, message }) => `line ${line}: ${message}`),
      ...(list.kind === 'deny' ? names.map(({ line }) => `line ${line}: only the allow list takes names`) : []),
      ...(await parts.take(list, addresses, list.kind === 'allow' ? names : [])),
    ];
    const more = bad.length > MAX_NAMED ? ` … and ${bad.length - MAX_NAMED} more` : '';
    parts.alarm(list, bad.length === 0 ? undefined : `${bad.slice(0, MAX_NAMED).join(' ')}${more}`);
  };
  return watchFile({
    file: list.file,
    maxBytes: MAX_FILE_BYTES,
    pace: parts.pace,
    changed: (text) =>
      changed(text).catch((error: unknown) =>
        parts.alarm(list, `cannot be read: ${error instanceof Error ? error.message : String(error)}`),
      ),
    unreadable: (problem) =>
      parts.alarm(list, problem === undefined ? undefined : `${problem}; what was read before goes on`),
  });
};
