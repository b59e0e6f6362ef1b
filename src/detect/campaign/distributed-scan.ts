import { z } from 'zod';
import {
  ENOUGH_POINTS,
  type EpochMs,
  type Facts,
  type Finding,
  type Outcome,
  type Request,
} from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isCustomer, isExempt } from '../base/exempt.ts';
import { Memory } from '../base/memory.ts';
import { SourceKey } from '../base/source-key.ts';
import { SourceTable } from '../base/source-table.ts';
import { Campaign, type Extent } from './campaign.ts';
import { NetworkCampaigns } from './network-campaigns.ts';

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  sources: z.int().min(5).max(1_000).default(30).describe('addresses built alike, all in vain, that are a campaign'),
  in_order: z
    .int()
    .min(5)
    .max(1_000)
    .default(15)
    .describe('the same when eight of the names they ask for stand in a row'),
  same_network: z
    .int()
    .min(5)
    .max(1_000)
    .default(10)
    .describe(
      'the same when all are of one network (ASN) where nobody authenticated; without a database it is never looked at',
    ),
  window: durationSetting('1h').describe('how long what was in vain counts, and a campaign lasts'),
  grace: durationSetting('32s').describe('time to answer a challenge (RFC 3261 timers B and F)'),
  campaign_grace: durationSetting('4s').describe('the same for a second name of one address while a campaign goes on'),
  success: durationSetting('24h').describe('how long a success speaks for its address'),
  looks_per_second: z.int().min(1).max(10_000).default(100).describe('new addresses whose messages are looked at'),
  max_sources: z.int().min(1).max(1_000_000).default(50_000).describe('addresses remembered'),
  max_campaigns: z.int().min(1).max(10_000).default(1_000).describe('ways to build a message remembered'),
  max_networks: z.int().min(1).max(10_000).default(1_000).describe('the same within one network'),
  max_users: z.int().min(1).max(5_000_000).default(100_000).describe('authenticated users remembered'),
});

/** Methods that ask for a name. OPTIONS does too, but carriers ping with it, many of them built alike. */
const ASKING = new Set(['REGISTER', 'INVITE', 'SUBSCRIBE', 'MESSAGE', 'PUBLISH', 'NOTIFY']);

/** Final replies that only somebody who exists causes, besides success. */
const SOMEBODY_THERE = new Set([480, 486, 487, 600, 603]);

/** Credentials that were looked at and are wrong. */
const REFUSED: ReadonlySet<string> = new Set(['wrong-password', 'unknown-user', 'user-mismatch']);

/** An address is accused at most this often. */
const QUIET_MS = 10_000;

const MAX_NAME_CHARS = 64;

interface User {
  readonly authenticated: true;
}
const USER: User = { authenticated: true };

/** What an address asked for, and did not get. */
interface Vain {
  readonly identity: string;
  readonly at: EpochMs;
  readonly name: string;
  /** How its message was built. */
  readonly wire: string;
  /** Number of its network (ASN); 0: unknown. */
  readonly asn: number;
  /** silent: never answered a challenge. tried: did, for one user. guessing: was refused for several. */
  state: 'silent' | 'tried' | 'guessing';
  /** The user whose credentials were refused first. */
  refused: string;
  quietUntil: EpochMs;
}

/**
 * Many addresses that try few names each: none is noticed by itself. What they have in common is how their messages are
 * built (which a customer's phones have, too), that none of them ever succeeds, and that they all ask for different names
 * that nobody authenticated with. So a campaign needs that many of them to stay unanswered for as long as a transaction
 * lasts; only who has itself asked in vain is accused of belonging to it, never an address where somebody succeeded.
 * Phones of the same model that are just slow, or new, are not: at worst they are quarantined, which asks them for the
 * credentials that they are about to send.
 */
export const distributedScan: DetectorKind<typeof configSchema> = {
  id: 'distributed-scan',
  configSchema,
  create(config) {
    const key = new SourceKey();
    const users = new Memory<User>(config.max_users);
    const campaigns = new Memory<{ readonly campaign: Campaign }>(config.max_campaigns);
    const networks = new NetworkCampaigns(config);
    const sources: SourceTable = new SourceTable(config.max_sources, (slot) => {
      const vain = vains.get(slot);
      if (vain !== undefined) leaveCampaign(vain);
    });
    const vains = sources.sparse<Vain>();
    const goodUntil = sources.numbers();
    let skipped = 0;
    /** No campaign lasts longer: nearly always there is none. */
    let anyUntil: EpochMs = -Infinity;
    let second = -1;
    let looks = 0;

    /** Whether there is time to look at one more message in this second. */
    const hasTime = (at: EpochMs): boolean => {
      const now = Math.floor(at / 1_000);
      if (now !== second) {
        second = now;
        looks = 0;
      }
      return looks < config.looks_per_second;
    };

    const campaignOf = (wire: string): Campaign => campaigns.take(wire, () => ({ campaign: new Campaign() })).campaign;

    const leaveCampaign = ({ wire, identity, asn }: Vain): void => {
      if (campaigns.has(wire)) campaignOf(wire).leave(identity);
      networks.leave(wire, asn, identity);
    };

    const forget = (slot: number): void => {
      const vain = vains.get(slot);
      if (vain === undefined) return;
      leaveCampaign(vain);
      vains.delete(slot);
    };

    const advance = (campaign: Campaign, at: EpochMs): Extent | undefined => {
      campaign.advance(at, config);
      const extent = campaign.extent(at);
      if (extent !== undefined) anyUntil = Math.max(anyUntil, at + config.window);
      return extent;
    };

    /** What is going on in its network, or anywhere, among messages that are built like this one. */
    const extentOf = (wire: string, asn: number, at: EpochMs): Extent | undefined => {
      const anywhere = campaigns.has(wire) ? advance(campaignOf(wire), at) : undefined;
      if (anywhere !== undefined) return anywhere;
      const near = networks.extentOf(wire, asn, at);
      if (near !== undefined) anyUntil = Math.max(anyUntil, at + config.window);
      return near;
    };

    const join = ({ at, tier }: Request | Outcome, { wire, identity, name, state, asn }: Vain): void => {
      const campaign = campaignOf(wire);
      if (!campaign.join(identity, { at, name, tier }, state === 'guessing')) skipped += 1;
      advance(campaign, at);
      networks.join(wire, asn, identity, { at, name, tier }, state === 'guessing');
    };

    /** A first request of somebody: how it is built is looked at while there is time for it. Nobody else takes room. */
    const note = (event: Request, facts: Facts, name: string): void => {
      if (facts.wire === undefined || !hasTime(event.at) || users.has(name)) return;
      looks += 1;
      const { identity } = event.source;
      const state = event.credentials === 'none' ? 'silent' : 'tried';
      const vain: Vain = {
        identity,
        at: event.at,
        name,
        wire: facts.wire(),
        asn: facts.place?.asn ?? 0,
        state,
        refused: '',
        quietUntil: -Infinity,
      };
      vains.set(sources.take(key.read(identity)), vain);
      if (state === 'silent') join(event, vain);
    };

    const accuse = (event: Request, vain: Vain, wire: string, extent: Extent, roams: boolean): readonly Finding[] => {
      const { sources: many, names, run, tier, asn } = extent;
      if (event.at < vain.quietUntil) return NO_FINDINGS;
      vain.quietUntil = event.at + QUIET_MS;
      const row = run >= config.in_order ? `, ${run} in a row` : '';
      return [
        {
          rule: 'campaign.scan',
          family: 'scan',
          accused: { kind: 'source' },
          // a device without a password asks for one name for ever, over TCP too: it may be put right, and is not banned
          tier: tier === 'proven' && roams ? event.tier : 'spoofable',
          points: ENOUGH_POINTS,
          evidence: `one of ${many} addresses${asn === undefined ? '' : ` of AS${asn}`} whose messages are built alike (${wire}): ${names} names${row}, no success`,
        },
      ];
    };

    /** Asked in vain before; now again. */
    const onAgain = (event: Request, facts: Facts, vain: Vain, name: string): readonly Finding[] => {
      const { at } = event;
      const roams = name !== vain.name || vain.state === 'guessing';
      if (vain.state === 'tried' || at - vain.at < (roams ? config.campaign_grace : config.grace)) return NO_FINDINGS;
      let { wire } = vain;
      let extent = extentOf(wire, vain.asn, at);
      // random tokens look unlike the others now and then: either of its messages may betray a bot
      if (extent === undefined && at < anyUntil && facts.wire !== undefined && hasTime(at)) {
        looks += 1;
        wire = facts.wire();
        extent = extentOf(wire, vain.asn, at);
      }
      return extent === undefined || users.has(name) ? NO_FINDINGS : accuse(event, vain, wire, extent, roams);
    };

    const onRequest = (event: Request, facts: Facts): readonly Finding[] => {
      const { sip, source, at } = event;
      const slot = sources.find(key.read(source.identity));
      if (slot < 0 && !hasTime(at)) return NO_FINDINGS;
      if (slot >= 0 && at < goodUntil[slot]!) return NO_FINDINGS;
      if (!ASKING.has(sip.method)) return NO_FINDINGS;
      const name = (sip.method === 'REGISTER' ? sip.to.user : sip.requestUser).slice(0, MAX_NAME_CHARS);
      if (name === '') return NO_FINDINGS;
      let vain = slot < 0 ? undefined : vains.get(slot);
      if (vain !== undefined && at - vain.at >= config.window) {
        forget(slot);
        vain = undefined;
      }
      if (vain === undefined) {
        note(event, facts, name);
        return NO_FINDINGS;
      }
      if (event.credentials === 'none') return onAgain(event, facts, vain, name);
      // what becomes of the answer is told, also when it was none
      if (vain.state === 'silent') {
        leaveCampaign(vain);
        vain.state = 'tried';
      }
      return NO_FINDINGS;
    };

    /** One user whose password is wrong is an old device; two at one address belong to a campaign, if there is one. */
    const onRefused = (outcome: Extract<Outcome, { type: 'auth' }>): void => {
      const slot = sources.find(key.read(outcome.source.identity));
      const vain = slot < 0 ? undefined : vains.get(slot);
      const user = outcome.user.slice(0, MAX_NAME_CHARS);
      if (vain === undefined || outcome.tier !== 'proven' || users.has(user)) return;
      if (vain.refused === '') vain.refused = user;
      else if (vain.refused !== user && vain.state !== 'guessing') {
        vain.state = 'guessing';
        join(outcome, vain);
      }
    };

    /** Credentials that answer no challenge of ours: as if none had been sent. Phones with an old nonce go on to answer. */
    const onNoAnswer = (outcome: Outcome): void => {
      const slot = sources.find(key.read(outcome.source.identity));
      const vain = slot < 0 ? undefined : vains.get(slot);
      if (vain === undefined || vain.state !== 'tried' || vain.refused !== '') return;
      vain.state = 'silent';
      join(outcome, vain);
    };

    const onSuccess = (outcome: Outcome, asn: number, ...names: readonly string[]): void => {
      networks.succeeded(asn, outcome.at);
      const slot = sources.take(key.read(outcome.source.identity));
      goodUntil[slot] = outcome.at + config.success;
      forget(slot);
      for (const name of names) if (name !== '') users.take(name.slice(0, MAX_NAME_CHARS), () => USER);
    };

    const onOutcome = (outcome: Outcome, asn: number): void => {
      if (outcome.type === 'parse-error' || outcome.type === 'unacknowledged') return;
      if (outcome.type === 'registered') return onSuccess(outcome, asn, outcome.user);
      if (outcome.type === 'auth') {
        const { result, user, claimed } = outcome;
        if (result === 'ok') onSuccess(outcome, asn, user, claimed);
        else if (REFUSED.has(result)) onRefused(outcome);
        else onNoAnswer(outcome);
        return;
      }
      const { code, source } = outcome;
      if ((code < 200 || code >= 300) && !SOMEBODY_THERE.has(code)) return;
      const slot = sources.find(key.read(source.identity));
      if (slot >= 0) forget(slot);
    };

    return {
      id: 'distributed-scan',
      detect(event, facts) {
        if (event.kind === 'outcome') {
          onOutcome(event, facts.place?.asn ?? 0);
          return NO_FINDINGS;
        }
        return isExempt(facts) || isCustomer(event) ? NO_FINDINGS : onRequest(event, facts);
      },
      tables: () => ({
        'distributed-scan.sources': sources.stats,
        'distributed-scan.campaigns': campaigns.stats,
        'distributed-scan.networks': networks.stats,
        'distributed-scan.users': users.stats,
        'distributed-scan.skipped': { size: 0, evicted: skipped },
      }),
    };
  },
};
