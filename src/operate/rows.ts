import { formatCidr, parseCidr, subjectOf } from '../model/index.ts';
import type { BanEntry, BanRow, Entry, ListEntry, ListRow } from '../model/index.ts';

type Held = Extract<Entry, { kind: 'ban' | 'quarantine' | 'throttle' | 'throttle-user' }>;

/** The kinds that `ban list` shows. */
export const HELD_KINDS = ['ban', 'quarantine', 'throttle', 'throttle-user'] as const;

export const banRow = (entry: Held): BanRow => ({
  kind: entry.kind,
  subject: entry.subject,
  user: entry.kind === 'throttle-user' ? entry.user : undefined,
  reason: entry.reason,
  rules: entry.kind === 'ban' || entry.kind === 'quarantine' ? entry.rules : [],
  origin: entry.origin,
  level: entry.kind === 'ban' ? entry.level : 0,
  since: entry.since,
  until: entry.until,
});

/** A list entry's subject: always a CIDR; one IPv6 address stands for its /64, as everywhere. */
export const listSubject = (text: string): string => formatCidr(parseCidr(subjectOf(text)));

export const historyRow = (entry: BanEntry): BanRow => banRow(entry);

export const listRow = ({ kind, subject, note, author, since, until, peer }: ListEntry): ListRow => ({
  list: kind,
  subject,
  note: peer === undefined ? note : `peer ${peer}${note === '' ? '' : `: ${note}`}`,
  author,
  since,
  until,
});
