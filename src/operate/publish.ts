import type { BanEntry, DecisionEvent, FeedOperations, ListEntry, PublishedBan } from '../model/index.ts';
import type { Judge } from '../decide/index.ts';

/** Changes that are remembered for readers; who has missed more gets everything. */
const MAX_CHANGES = 50_000;
/** Readers whose place is remembered: as many as there may be tokens. */
const MAX_READERS = 128;

interface Change {
  readonly serial: number;
  readonly subject: string;
}

/** `ban expired`, `deny operator`: what a lifting was about. */
const LIFTED = /^(?:ban|deny) /;

/**
 * Bans and deny entries for other programs, whole or as what has changed since the same reader asked last. What feeds say
 * is not passed on: it would come back as somebody else's word.
 */
export const createPublished = (
  ledger: Judge['ledger'],
  subscribe: (listener: (event: DecisionEvent) => void) => () => void,
): Pick<FeedOperations, 'publishedBans'> & { readonly stop: () => void } => {
  let changes: Change[] = [];
  let serial = 0;
  /** The last change that was forgotten. */
  let forgotten = 0;
  const readers = new Map<string, number>();

  const stop = subscribe(({ change, subject, reason, shadow }) => {
    if (shadow || !(change === 'ban' || change === 'deny' || (change === 'lift' && LIFTED.test(reason)))) return;
    serial += 1;
    changes.push({ serial, subject });
    if (changes.length < MAX_CHANGES * 2) return;
    forgotten = changes[MAX_CHANGES - 1]?.serial ?? serial;
    changes = changes.slice(MAX_CHANGES);
  });

  /** List entries carry the length of single addresses as well, which is one too many for most readers. */
  const valueOf = (subject: string): string => subject.replace(/\/(?:32|128)$/, '');
  const publish = (entry: BanEntry | ListEntry): PublishedBan => ({
    value: valueOf(entry.subject),
    reason: entry.kind === 'ban' ? (entry.rules[0] ?? 'by-hand') : 'deny-list',
    until: entry.until,
  });
  /** What still stands against it: a ban may end while the deny list has the same address. */
  const standing = (subject: string): PublishedBan | undefined => {
    const plain = valueOf(subject);
    const keys = [`ban ${plain}`, `deny ${subject}`, `deny ${plain}/32`];
    const entry = keys.map((key) => ledger.get(key)).find((one) => one !== undefined && one.origin !== 'foreign');
    return entry === undefined ? undefined : publish(entry as BanEntry | ListEntry);
  };

  return {
    stop,
    async publishedBans(reader, whole) {
      const seen = readers.get(reader);
      readers.delete(reader);
      readers.set(reader, serial);
      const oldest = readers.size > MAX_READERS ? readers.keys().next().value : undefined;
      if (oldest !== undefined) readers.delete(oldest);
      if (whole || seen === undefined || seen < forgotten) {
        const all = [...ledger.entries('ban', 'deny')].filter(({ origin }) => origin !== 'foreign');
        return { whole: true, added: all.map((entry) => publish(entry as BanEntry | ListEntry)), gone: [] };
      }
      const added: PublishedBan[] = [];
      const gone: PublishedBan[] = [];
      const touched = new Set(changes.filter((change) => change.serial > seen).map(({ subject }) => subject));
      for (const subject of touched) {
        const now = standing(subject);
        if (now === undefined) gone.push({ value: valueOf(subject), reason: 'lifted', until: null });
        else added.push(now);
      }
      return { whole: false, added, gone };
    },
  };
};
