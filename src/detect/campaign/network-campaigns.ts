import type { EpochMs } from '../../model/index.ts';
import { Memory } from '../base/memory.ts';
import { Campaign, type CampaignRules, type Extent, type Member } from './campaign.ts';

/** Networks where somebody authenticated: only who has a password can make one. */
const MAX_CUSTOMER_NETWORKS = 10_000;

interface Customers {
  until: EpochMs;
}

/**
 * Campaigns within one network (ASN): a botnet that is rented at one hoster is found with fewer addresses. Homes of one
 * provider have phones of one model, too, and lose power together: where somebody authenticated, nothing is looked at.
 * Beside the campaigns of all networks, and never instead of them: who has no database, or is in none, misses nothing else.
 */
export class NetworkCampaigns {
  readonly #rules: CampaignRules;
  readonly #successMs: number;
  readonly #campaigns: Memory<{ readonly campaign: Campaign }>;
  readonly #customers: Memory<Customers>;

  constructor(
    settings: CampaignRules & {
      readonly same_network: number;
      readonly success: number;
      readonly max_networks: number;
    },
  ) {
    const { same_network: enough } = settings;
    this.#rules = { ...settings, sources: enough, in_order: enough };
    this.#successMs = settings.success;
    this.#campaigns = new Memory(settings.max_networks);
    this.#customers = new Memory(MAX_CUSTOMER_NETWORKS);
  }

  get stats(): { readonly size: number; readonly evicted: number } {
    const [campaigns, customers] = [this.#campaigns.stats, this.#customers.stats];
    return { size: campaigns.size + customers.size, evicted: campaigns.evicted + customers.evicted };
  }

  join(wire: string, asn: number, identity: string, member: Member, failed: boolean): void {
    if (asn === 0 || this.#hasCustomers(asn, member.at)) return;
    const { campaign } = this.#campaigns.take(`${wire} ${asn}`, () => ({ campaign: new Campaign() }));
    campaign.join(identity, member, failed);
    campaign.advance(member.at, this.#rules);
  }

  leave(wire: string, asn: number, identity: string): void {
    if (asn !== 0) this.#campaigns.peek(`${wire} ${asn}`)?.campaign.leave(identity);
  }

  /** Somebody authenticated from there. */
  succeeded(asn: number, at: EpochMs): void {
    if (asn !== 0) this.#customers.take(String(asn), () => ({ until: at })).until = at + this.#successMs;
  }

  extentOf(wire: string, asn: number, at: EpochMs): Extent | undefined {
    if (asn === 0 || this.#hasCustomers(asn, at)) return undefined;
    const campaign = this.#campaigns.peek(`${wire} ${asn}`)?.campaign;
    campaign?.advance(at, this.#rules);
    const extent = campaign?.extent(at);
    return extent === undefined ? undefined : { ...extent, asn };
  }

  #hasCustomers(asn: number, at: EpochMs): boolean {
    return (this.#customers.peek(String(asn))?.until ?? -Infinity) > at;
  }
}
