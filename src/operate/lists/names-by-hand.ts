import { CompanionError } from '../../model/index.ts';
import type { ListRequest, ListRow } from '../../model/index.ts';

/** Names that operators put on the allow list by hand. */
export interface NamesByHand {
  rows(): readonly { readonly name: string; readonly note: string; readonly author: string; readonly since: number }[];
  add(name: string, note: string, author: string): { readonly name: string; readonly since: number };
  remove(name: string): boolean;
}

/**
 * Names have no end of their own, and deny nobody: who owns a name could deny anybody.
 * @throws CompanionError REQUEST_INVALID
 */
export const refuseName = ({ list, subject, durationMs }: ListRequest): void => {
  const shown = subject.slice(0, 60);
  if (list === 'deny')
    throw new CompanionError('REQUEST_INVALID', `'${shown}' is a name: only the allow list takes names.`);
  if (durationMs !== null && durationMs !== undefined)
    throw new CompanionError(
      'REQUEST_INVALID',
      `'${shown}' is a name: names stay until they are removed; leave the duration out.`,
    );
};

/** @throws CompanionError REQUEST_INVALID, STORE_FAILED */
export const addName = (names: NamesByHand, request: ListRequest): ListRow => {
  refuseName(request);
  const { list, subject, note, author } = request;
  const { name, since } = names.add(subject, note, author);
  return { list, subject: name, note, author, since, until: null };
};

/** The names as rows of the allow list; their addresses have rows of their own. */
export const nameRows = (names: NamesByHand): ListRow[] =>
  names.rows().map(({ name, ...row }): ListRow => ({ ...row, list: 'allow', subject: name, until: null }));
