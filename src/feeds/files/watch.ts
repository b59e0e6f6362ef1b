import { watch } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

export interface WatchedFile {
  readonly file: string;
  readonly maxBytes: number;
  /** What it holds, whenever it was written or replaced. */
  readonly changed: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>;
  /** It cannot be read, and why; undefined: it can be read again. What was read before goes on. */
  readonly unreadable: (problem: string | undefined) => void;
  /** Milliseconds; shorter in tests. */
  readonly pace?: { readonly settleMs: number; readonly pollMs: number } | undefined;
}

/** Editors write in several steps: the last one counts. */
const SETTLE_MS = 300;
/** Where the system does not tell (network file systems), and where the folder came later. */
const POLL_MS = 10_000;

const problemText = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'ENOENT') return 'is not there';
  if (code === 'EACCES') return 'may not be read';
  return message ?? String(error);
};

const readBounded = async (file: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> => {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new Error(`has ${size} bytes, at most ${maxBytes} are read`);
    // one byte more: it may grow meanwhile
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxBytes < size + 1 ? maxBytes + 1 : size + 1));
    if (bytesRead > maxBytes) throw new Error(`has more than ${maxBytes} bytes`);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};

/** Reads a file now and each time it is another one. Its folder is watched: a file is often replaced and not written. */
export const watchFile = async (watched: WatchedFile): Promise<{ look(): Promise<void>; stop(): void }> => {
  const { settleMs, pollMs } = watched.pace ?? { settleMs: SETTLE_MS, pollMs: POLL_MS };
  let mark = '';
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  const lookOnce = async (): Promise<void> => {
    try {
      const { size, mtimeMs, ino } = await stat(watched.file);
      const now = `${ino} ${size} ${mtimeMs}`;
      if (now === mark && problem === undefined) return;
      const read = await readBounded(watched.file, watched.maxBytes);
      mark = now;
      if (problem !== undefined) watched.unreadable(undefined);
      problem = undefined;
      await watched.changed(read);
    } catch (error) {
      const why = problemText(error);
      if (why !== problem) watched.unreadable(why);
      problem = why;
    }
  };
  const look = (): Promise<void> =>
    (looking ??= lookOnce().finally(() => {
      looking = undefined;
    }));
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), settleMs);
    timer.unref();
  };

  await look();
  const name = basename(watched.file);
  let watcher: ReturnType<typeof watch> | undefined;
  try {
    watcher = watch(dirname(watched.file), { persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) soon();
    });
    // a folder that goes away: the poll goes on
    watcher.on('error', () => watcher?.close());
  } catch {
    // no folder yet, or no more watches: the poll finds it
  }
  const poll = setInterval(() => void look(), pollMs);
  poll.unref();
  return {
    look,
    stop: () => {
      clearTimeout(timer);
      clearInterval(poll);
      watcher?.close();
    },
  };
};
