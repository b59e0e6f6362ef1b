import type { Entry } from '../model/index.ts';
import type { Loaded } from './messages.ts';
import { fromRow } from './thread/rows.ts';

const MAX_PROBLEM_CHARS = 300;

/** Entries from their rows. Rows that make no sense are left out and counted. */
export const readEntries = ({
  keys,
  bodies,
  evidence,
}: Loaded): { readonly entries: readonly Entry[]; readonly unreadable: number; readonly problem: string } => {
  const entries: Entry[] = [];
  let unreadable = 0;
  let problem = '';
  for (const [number, body] of bodies.entries()) {
    try {
      entries.push(fromRow({ body, evidence: evidence[number] ?? null }));
    } catch (error) {
      unreadable += 1;
      problem ||= `${keys[number]}: ${error instanceof Error ? error.message : String(error)}`.slice(
        0,
        MAX_PROBLEM_CHARS,
      );
    }
  }
  return { entries, unreadable, problem };
};
