import { CompanionError, formatCidr, parseCidr, subjectOf } from '../model/index.ts';
import type { Clock } from '../model/index.ts';
import type { NetworkTable } from '../enrich/index.ts';
import { followListFile } from './files/index.ts';
import type { ListFile } from './files/index.ts';
import { createNameBook } from './names/index.ts';
import type { NameResolver, NameWish } from './names/index.ts';

/** An address that is wanted on a list. */
export interface KeptEntry {
  readonly subject: string;
  readonly note: string;
  readonly peer?: string | undefined;
  readonly checked?: boolean | undefined;
}

/** Names and files of the configuration. */
export interface KeptSettings {
  readonly lists: readonly ListFile[];
  readonly names: readonly NameWish[];
}

export interface ListsKeeperParts {
  readonly resolver: NameResolver;
  readonly clock: Clock;
  /** Makes the entries of this author the wanted ones. `graceMs`: the others go only then. */
  readonly apply: (
    list: 'allow' | 'deny',
    author: string,
    wanted: ReadonlyMap<string, KeptEntry>,
    graceMs?: number,
  ) => void | Promise<void>;
  /** Denies what stands in the table of this author from now on; undefined: nothing any more. */
  readonly denyTable: (author: string, table: NetworkTable | undefined, note: string) => void | Promise<void>;
  /** Authors of entries that stand, by list. */
  readonly authors: () => readonly { readonly list: 'allow' | 'deny'; readonly author: string }[];
  readonly alarm: (name: string, problem: string | undefined) => void;
}

export interface ListsKeeper {
  /** Other names and files from now on. */
  keep(settings: KeptSettings): Promise<void>;
  stats(): Readonly<Record<string, number>>;
  stop(): void;
}

/** A carrier's name may lead back to an address within the hour; until then it stays what it was. */
const GRACE_MS = 3_600_000;
const KEPT_AUTHOR = /^(?:name|file):/;
/** What the store keeps of an author. */
const MAX_AUTHOR_CHARS = 200;

const authorOf = (kind: 'name' | 'file', what: string): string => `${kind}:${what}`.slice(0, MAX_AUTHOR_CHARS);

/** Keeps list entries like the names and files that the configuration points to. */
export const createListsKeeper = (parts: ListsKeeperParts): ListsKeeper => {
  const following = new Map<string, { readonly list: ListFile; stop(): void }>();
  const unread = new Set<string>();
  /** Entries of lists that are tables. */
  const tables = new Map<string, number>();
  const book = createNameBook({
    resolver: parts.resolver,
    clock: parts.clock,
    found: (wish, ips) => {
      const { name, note, peer, checked } = wish;
      const wanted = new Map<string, KeptEntry>();
      for (const ip of ips) {
        const subject = formatCidr(parseCidr(subjectOf(ip)));
        wanted.set(subject, { subject, note: note || name, peer, checked });
      }
      void parts.apply('allow', authorOf('name', name), wanted, GRACE_MS);
    },
    gone: (name) => void parts.apply('allow', authorOf('name', name), new Map()),
    alarm: (name, problem) => parts.alarm(`name ${name}`, problem),
  });
  let configured: readonly NameWish[] = [];
  /** Of files, since the start. */
  const wishedNames = new Set<string>();

  const dropTable = async (file: string): Promise<void> => {
    if (tables.delete(file)) await parts.denyTable(authorOf('file', file), undefined, '');
  };

  const follow = async (list: ListFile): Promise<void> => {
    const followed = await followListFile(list, {
      clock: parts.clock,
      alarm: (_, problem) => {
        if (problem === undefined) unread.delete(list.file);
        else unread.add(list.file);
        parts.alarm(`list ${list.file}`, problem);
      },
      async take(_, addresses, names) {
        const wanted = new Map<string, KeptEntry>();
        const bad: string[] = [];
        for (const { line, subject: text, note, until } of addresses) {
          if (until !== null && until !== undefined && until <= parts.clock.now()) continue;
          try {
            const subject = formatCidr(parseCidr(subjectOf(text)));
            wanted.set(subject, { subject, note: (note ?? list.note).slice(0, 200) });
          } catch (error) {
            if (!(error instanceof CompanionError)) throw error;
            bad.push(`line ${line}: ${error.message}`);
          }
        }
        for (const { subject } of names) wishedNames.add(subject.toLowerCase());
        book.want(
          list.file,
          names.map(({ subject, note }) => ({
            name: subject.toLowerCase().replace(/\.$/, ''),
            note: (note ?? list.note).slice(0, 200),
            private: false,
          })),
        );
        await parts.apply(list.kind, authorOf('file', list.file), wanted);
        await dropTable(list.file);
        return bad;
      },
      async takeTable(_, table) {
        tables.set(list.file, table.size);
        await parts.denyTable(authorOf('file', list.file), table, list.note);
        await parts.apply('deny', authorOf('file', list.file), new Map());
      },
    });
    following.set(list.file, { list, stop: followed.stop });
  };

  /** Entries of names and files that nobody configures any more, e.g. since before the start. */
  const forgetOthers = async (lists: readonly ListFile[]): Promise<void> => {
    const known = new Set([
      ...lists.map(({ kind, file }) => `${kind} ${authorOf('file', file)}`),
      ...[...configured.map(({ name }) => name), ...wishedNames].map((name) => `allow ${authorOf('name', name)}`),
    ]);
    for (const { list, author } of parts.authors()) {
      if (!KEPT_AUTHOR.test(author) || known.has(`${list} ${author}`)) continue;
      // a file that cannot be read may be the one that names it
      if (author.startsWith('name:') && unread.size > 0) continue;
      await parts.apply(list, author, new Map());
    }
  };

  const tableEntries = (): number => [...tables.values()].reduce((sum, size) => sum + size, 0);

  return {
    async keep({ lists, names }) {
      configured = names;
      book.want('configuration', names);
      for (const [file, { list, stop }] of following) {
        const next = lists.find((one) => one.file === file);
        if (next !== undefined && next.kind === list.kind && next.note === list.note) continue;
        stop();
        following.delete(file);
        unread.delete(file);
        book.want(file, []);
        // with another note it is read anew, and denies what it denied until then
        if (next?.kind !== 'deny') await dropTable(file);
        parts.alarm(`list ${file}`, undefined);
      }
      for (const list of lists) if (!following.has(list.file)) await follow(list);
      await forgetOthers(lists);
    },
    stats: () => ({
      files: following.size,
      unreadable_files: unread.size,
      table_entries: tableEntries(),
      ...book.stats(),
    }),
    stop() {
      book.stop();
      for (const { stop } of following.values()) stop();
    },
  };
};
