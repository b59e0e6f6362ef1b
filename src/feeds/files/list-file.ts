import { isHostName } from '../../model/index.ts';
import type { Clock } from '../../model/index.ts';
import { NetworkTable } from '../../enrich/index.ts';
import { readRows } from '../../protocol/index.ts';
import type { FileRow } from '../../protocol/index.ts';
import { inThread } from '../thread.ts';
import type { LargeTask } from './large-thread.ts';
import type { Large } from './large.ts';
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
  /** A deny list too long for rows: a table instead of those before. */
  readonly takeTable: (list: ListFile, table: NetworkTable) => Promise<void>;
  readonly alarm: (list: ListFile, problem: string | undefined) => void;
  readonly pace?: WatchedFile['pace'];
}

/** More are not kept one by one, in the database and the servers: a deny list becomes a table. */
const MAX_ROWS = 50_000;
const MAX_ROWS_BYTES = 8 * 1024 * 1024;
/** Two million lines. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;
/** Bad rows that an alarm names. */
const MAX_NAMED = 5;

const LF = 0x0a;
const isLong = (bytes: Uint8Array): boolean => {
  if (bytes.length > MAX_ROWS_BYTES) return true;
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0 && lines < MAX_ROWS; at = bytes.indexOf(LF, at + 1)) lines += 1;
  return lines >= MAX_ROWS;
};

const threadUrl = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './large-thread.ts' : './large-thread.js', import.meta.url);

const decode = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('it is not UTF-8 text', { cause: error });
  }
};

/** Keeps a list like a file: read at start and whenever it changes; what is wrong is told by its line. */
export const followListFile = (list: ListFile, parts: ListFileParts): ReturnType<typeof watchFile> => {
  const tell = (bad: readonly string[], count: number): void => {
    const more = count > MAX_NAMED ? ` … and ${count - MAX_NAMED} more` : '';
    parts.alarm(list, count === 0 ? undefined : `${bad.slice(0, MAX_NAMED).join(' ')}${more}`);
  };
  const takeLong = async (bytes: LargeTask): Promise<void> => {
    const { table, bad, badCount } = await inThread<Large>(threadUrl(), bytes, [bytes.buffer]);
    await parts.takeTable(list, new NetworkTable(table));
    tell(bad, badCount);
  };
  const changed = async (bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
    if (list.kind === 'deny' && isLong(bytes)) return takeLong(bytes);
    const { rows, problems } = readRows(decode(bytes), parts.clock.now());
    if (rows.length > MAX_ROWS) {
      const instead = list.kind === 'deny' ? 'one a line, more are' : 'as deny lists and feeds, more are';
      parts.alarm(
        list,
        `has ${rows.length} rows, at most ${MAX_ROWS} are taken (${instead}). What was read before goes on`,
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
    tell(bad, bad.length);
  };
  return watchFile({
    file: list.file,
    maxBytes: list.kind === 'deny' ? MAX_TABLE_BYTES : MAX_ROWS_BYTES,
    pace: parts.pace,
    changed: (bytes) =>
      changed(bytes).catch((error: unknown) =>
        parts.alarm(
          list,
          `cannot be read: ${error instanceof Error ? error.message : String(error)}; what was read before goes on`,
        ),
      ),
    unreadable: (problem) =>
      parts.alarm(list, problem === undefined ? undefined : `${problem}; what was read before goes on`),
  });
};
