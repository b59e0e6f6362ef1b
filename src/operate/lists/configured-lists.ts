import type { Change, EpochMs } from '../../model/index.ts';
import type { Judge } from '../../decide/index.ts';
import { applyAuthored } from './authored.ts';
import type { WantedEntry } from './authored.ts';

const AUTHOR = 'configuration';

/** Addresses of a peer, and what it is spared. */
export interface ConfiguredPeer {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly note: string;
  readonly skip: 'all' | readonly string[];
  readonly requests_per_second?: number | undefined;
}

export interface ConfiguredLists {
  /** Names among them are looked up elsewhere. */
  readonly allow: readonly (WantedEntry | { readonly name: string })[];
  readonly deny: readonly WantedEntry[];
  readonly peers?: readonly ConfiguredPeer[] | undefined;
}

/** Whether companion has something to say about what a peer sends. */
export const isChecked = ({
  skip,
  requests_per_second: cap,
}: Pick<ConfiguredPeer, 'skip' | 'requests_per_second'>): boolean => skip !== 'all' || cap !== undefined;

/**
 * Makes the entries that the configuration put on the lists the ones that it names now. Entries of operators stay, also
 * where the configuration names the same.
 */
export const applyConfiguredLists = (ledger: Judge['ledger'], wanted: ConfiguredLists, at: EpochMs): Change[] => {
  const allow = new Map<string, WantedEntry>();
  for (const entry of wanted.allow) if ('subject' in entry) allow.set(entry.subject, entry);
  for (const peer of wanted.peers ?? []) {
    const checked = isChecked(peer);
    for (const subject of peer.addresses) allow.set(subject, { subject, note: peer.note, peer: peer.name, checked });
  }
  const deny = new Map(wanted.deny.map((entry) => [entry.subject, entry]));
  return [
    ...applyAuthored(ledger, { list: 'allow', author: AUTHOR, at }, allow),
    ...applyAuthored(ledger, { list: 'deny', author: AUTHOR, at }, deny),
  ];
};
