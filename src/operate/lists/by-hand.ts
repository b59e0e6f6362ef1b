import type { BanEntry, EpochMs, ListEntry } from '../../model/index.ts';

/** A ban that an operator asks for: no rung of the ladder, no evidence. `until` null: it has no end. */
export const banByHand = (ban: Pick<BanEntry, 'subject' | 'reason' | 'until'>, since: EpochMs): BanEntry => ({
  ...ban,
  kind: 'ban',
  level: 0,
  rules: [],
  evidence: [],
  origin: 'operator',
  since,
});

/** A line of the allow or deny list that an operator asks for; without a note it says which list it is on. */
export const listedByHand = (
  listed: Pick<ListEntry, 'kind' | 'subject' | 'note' | 'author' | 'until'>,
  since: EpochMs,
): ListEntry => ({
  ...listed,
  origin: 'operator',
  reason: listed.note === '' ? `${listed.kind} list` : listed.note,
  since,
});
