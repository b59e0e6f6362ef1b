import { createApiban } from './apiban.ts';
import { createCrowdsec } from './crowdsec.ts';
import { createDnsbl } from './dnsbl.ts';
import { createPlainList } from './plain-list.ts';
import { createSentrypeer } from './sentrypeer.ts';
import type { Feed, FeedParts } from './kind.ts';
import type { ApibanSettings } from './apiban.ts';
import type { CrowdsecSettings } from './crowdsec.ts';
import type { DnsblSettings } from './dnsbl.ts';
import type { PlainListSettings } from './plain-list.ts';
import type { SentrypeerSettings } from './sentrypeer.ts';

/**
 * The kinds of feeds, one file each. In: answers of other people's servers. Out: whether an address is listed, and until
 * when. What must not be hit is left out before it enters.
 */
export type { Feed, FeedParts, Hits, Polled } from './kind.ts';

/** Settings of one feed, by its type. */
export type KindSettings =
  | ({ readonly type: 'apiban' } & ApibanSettings)
  | ({ readonly type: 'crowdsec' } & CrowdsecSettings)
  | ({ readonly type: 'list' } & PlainListSettings)
  | ({ readonly type: 'dnsbl' } & DnsblSettings)
  | ({ readonly type: 'sentrypeer' } & SentrypeerSettings);

export const createFeed = (parts: FeedParts, settings: KindSettings): Feed => {
  switch (settings.type) {
    case 'apiban':
      return createApiban(parts, settings);
    case 'crowdsec':
      return createCrowdsec(parts, settings);
    case 'list':
      return createPlainList(parts, settings);
    case 'dnsbl':
      return createDnsbl(parts, settings);
    case 'sentrypeer':
      return createSentrypeer(parts, settings);
  }
};
