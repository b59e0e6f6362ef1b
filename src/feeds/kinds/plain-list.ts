import { readFile, stat } from 'node:fs/promises';
import { NetworkTable } from '../../enrich/index.ts';
import { coveredBy, excessOf, isWide, leapOf, siftList } from '../sift/index.ts';
import { NOTHING_LEFT } from './kind.ts';
import type { Feed, FeedParts, Polled } from './kind.ts';

export interface PlainListSettings {
  /** One of the two. */
  readonly url?: string | undefined;
  readonly file?: string | undefined;
}

const DEADLINE_MS = 60_000;
/** Two million lines. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A list of which more than this share cannot be read is a page about something else. */
const MOST_UNREAD = 0.2;
/** A list that hits more of ours is no mistake about one carrier: none of it is taken. */
const MOST_HITS = 50;
/** A list that leaps is believed when it has said the same for this long: time enough for somebody to look at the alarm. */
const LEAP_MS = 86_400_000;

interface Read {
  readonly bytes: Uint8Array;
  /** What to say next time, to get it only if it has changed. */
  readonly mark: string;
}

const failureOf = (error: unknown): Error => {
  const { code, message } = error as { code?: string; message?: string };
  return new Error(
    code === 'ENOENT' ? 'the file is not there' : code === 'EACCES' ? 'the file may not be read' : (message ?? ''),
  );
};

/** VoIPBL and any other list of addresses and networks, one a line, whole each time: from the web or a file. */
export const createPlainList = (parts: FeedParts, settings: PlainListSettings): Feed => {
  const { clock, http, name } = parts;
  let table: NetworkTable | undefined;
  let mark = '';
  let last: Polled = NOTHING_LEFT;
  let size: Parameters<typeof leapOf>[0] | undefined;
  let leapSince: number | undefined;
  /** Addresses that were listed then: who is in there and in `table` has been listed for long. */
  let young: { readonly at: number; readonly table: NetworkTable } | undefined;
  let aged: NetworkTable | undefined;

  const fromFile = async (file: string): Promise<Read | undefined> => {
    try {
      const { size, mtimeMs, ino } = await stat(file);
      const now = `${ino} ${size} ${mtimeMs}`;
      if (now === mark) return undefined;
      if (size > MAX_BYTES) throw new Error(`the file has more than ${MAX_BYTES} bytes`);
      return { bytes: await readFile(file), mark: now };
    } catch (error) {
      throw failureOf(error);
    }
  };
  const fromWeb = async (url: string): Promise<Read | undefined> => {
    const [etag = '', modified = ''] = mark.split('\n');
    const headers = {
      ...(etag === '' ? {} : { 'if-none-match': etag }),
      ...(modified === '' ? {} : { 'if-modified-since': modified }),
    };
    const answered = await http(url, { headers, deadlineMs: DEADLINE_MS, maxBytes: MAX_BYTES });
    if (answered.status === 304 && table !== undefined) return undefined;
    if (answered.status !== 200) throw new Error(`it answered ${answered.status}`);
    return { bytes: answered.body, mark: `${answered.etag}\n${answered.lastModified}` };
  };

  /** @throws Error when it grows from one poll to the next as no honest list does */
  const refuseLeap = (next: Parameters<typeof leapOf>[1]): void => {
    const leap = size && leapOf(size, next);
    if (leap === undefined) leapSince = undefined;
    else {
      leapSince ??= clock.now();
      if (clock.now() - leapSince < LEAP_MS)
        throw new Error(`${leap}: none of it is taken before it has done so for a day`);
    }
  };

  return {
    get size() {
      return table?.size ?? 0;
    },
    async poll() {
      const read = await (settings.file === undefined ? fromWeb(settings.url ?? '') : fromFile(settings.file));
      if (read === undefined) return { ...last, same: true };
      const sifted = await siftList(name, read.bytes, parts.protectedNow());
      const { taken, unread, nobody, tooWide, hits, named } = sifted;
      const sound = taken + nobody + tooWide + hits;
      if (sound === 0) throw new Error('there are no addresses in it');
      if (unread > (sound + unread) * MOST_UNREAD)
        throw new Error(`${unread} of its ${sound + unread} lines are no addresses`);
      if (hits > MOST_HITS)
        throw new Error(
          `${hits} of its lines hit peers, customers or this server, e.g. ${named[0]}: none of it is taken`,
        );
      const covered = coveredBy(sifted.table);
      const excess = excessOf(covered);
      if (excess !== undefined) throw new Error(`${excess}: none of it is taken`);
      const sized = { ...covered, lines: taken };
      refuseLeap(sized);
      size = sized;
      leapSince = undefined;
      const next = new NetworkTable(sifted.table);
      const now = clock.now();
      if (young !== undefined && now - young.at >= parts.aloneMs()) {
        aged = young.table;
        young = undefined;
      }
      young ??= { at: now, table: next };
      table = next;
      mark = read.mark;
      last = { hits: { count: hits, named }, left: { unread, nobody, 'too-wide': tooWide }, whole: true };
      return last;
    },
    listed(ip) {
      const found = table?.match(ip);
      if (found === undefined) return undefined;
      const wide = isWide(ip.includes(':') ? 6 : 4, found.prefix);
      return { until: null, long: aged?.has(ip) === true, wide };
    },
  };
};
