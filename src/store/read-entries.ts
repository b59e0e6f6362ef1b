import type { Entry, LadderRung } from '../model/index.ts';
import type { LadderColumns, Page } from './messages.ts';
import { textAt } from './texts.ts';
import { fromRow, fromWrittenRow } from './thread/rows.ts';

const MAX_PROBLEM_CHARS = 300;

interface ReadEntries {
  readonly entries: Entry[];
  unreadable: number;
  /** The first row that could not be read, and why. */
  problem: string;
}

/** Rows that make no sense are left out and counted. */
const readPage = (page: Page, read: ReadEntries): void => {
  const { keys, bodies, evidence, odd } = page;
  for (let at = 0; at < bodies.ends.length; at += 1) {
    const body = textAt(bodies, at);
    const isWritten = (evidence.ends[at] ?? 0) > (evidence.ends[at - 1] ?? 0);
    try {
      const entry = isWritten ? fromWrittenRow(body, evidence, at) : fromRow({ body, evidence: odd.get(at) ?? null });
      read.entries.push(entry);
    } catch (error) {
      read.unreadable += 1;
      read.problem ||= `${textAt(keys, at)}: ${error instanceof Error ? error.message : String(error)}`.slice(
        0,
        MAX_PROBLEM_CHARS,
      );
    }
  }
};

/**
 * All entries that stand on disk, page by page: this thread reads one while the other fetches the next. Begins again when
 * the file is found damaged and replaced meanwhile, for its rows have other places then.
 */
export const readEntries = async (fetch: (after: number) => Promise<Page>): Promise<Readonly<ReadEntries>> => {
  const nothing = (): ReadEntries => ({ entries: [], unreadable: 0, problem: '' });
  let read = nothing();
  let page = await fetch(0);
  for (;;) {
    const coming = page.next === undefined ? undefined : fetch(page.next);
    // awaited below: that it fails meanwhile is no bug
    coming?.catch(() => undefined);
    readPage(page, read);
    if (coming === undefined) return read;
    const { rescues } = page;
    page = await coming;
    if (page.rescues === rescues) continue;
    page = await fetch(0);
    read = nothing();
  }
};

export const readLadder = ({ subjects, levels, lastUntil }: LadderColumns): LadderRung[] =>
  levels.map((level, at) => ({ subject: textAt(subjects, at), level, lastUntil: lastUntil[at] ?? 0 }));
